/** What a Gateway is recognised by: its certificate, or the key that renewed certificates keep. */
export interface TlsPin {
  readonly kind: "certificate" | "public-key";
  /** SHA-256, 64 lower-case hex digits. */
  readonly digest: string;
}

/** What a certificate shows, each in the form that {@link formatTlsPin} writes or any other. */
export interface TlsPinSubject {
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** SHA-256 of its public key. */
  readonly publicKey: string;
}

/** A pin, or what keeps a text from being one, for "the pin … is". */
export type ParsedTlsPin =
  | { readonly ok: true; readonly pin: TlsPin }
  | { readonly ok: false; readonly fault: string };

/** How a pin is written, for messages. */
export const TLS_PIN_FORMS =
  "SHA-256 of a certificate, 64 hex digits, colons optional, or sha256//<base64> of its public key";

/** The pin in use, and the one that is to follow it. */
export const MOST_TLS_PINS = 2;

/**
 * Reads a pin: the SHA-256 of a certificate in hex, colons and case ignored, as browsers and openssl
 * show it; or that of a public key as curl's `--pinnedpubkey` takes it, `sha256//<base64>`.
 */
export function parseTlsPin(text: string): ParsedTlsPin {
  const trimmed = text.trim();
  if (trimmed === "") return { ok: false, fault: "empty" };
  if (trimmed.startsWith("sha256//")) return parsePublicKeyPin(trimmed.slice("sha256//".length));
  const digits = trimmed.replace(/^sha-?256(?: fingerprint)?[:=]/iu, "").replaceAll(":", "");
  if (/^[\da-f]{64}$/iu.test(digits)) {
    return { ok: true, pin: { kind: "certificate", digest: digits.toLowerCase() } };
  }
  if (/^[\da-f]{40}$/iu.test(digits)) {
    return { ok: false, fault: "of 40 hex digits, which is SHA-1; SHA-256 is wanted" };
  }
  return { ok: false, fault: "neither 64 hex digits nor sha256//<base64>" };
}

function parsePublicKeyPin(base64: string): ParsedTlsPin {
  const bytes = Buffer.from(base64, "base64");
  // Buffer reads over what is no base64; the way back shows it.
  if (bytes.length !== 32 || bytes.toString("base64") !== base64) {
    return { ok: false, fault: "not the base64 of a SHA-256, which has 44 characters" };
  }
  return { ok: true, pin: { kind: "public-key", digest: bytes.toString("hex") } };
}

/** A pin in its usual form, `AB:CD:…` or `sha256//<base64>`; it reads as the same pin. */
export function formatTlsPin({ kind, digest }: TlsPin): string {
  if (kind === "public-key") return `sha256//${Buffer.from(digest, "hex").toString("base64")}`;
  return (digest.match(/../gu) ?? []).join(":").toUpperCase();
}

/** Whether one of the pins is that of the certificate, or of its public key. */
export function matchesTlsPin(pins: readonly TlsPin[], subject: TlsPinSubject): boolean {
  const shown = [subject.fingerprint, subject.publicKey].flatMap((text) => {
    const parsed = parseTlsPin(text);
    return parsed.ok ? [formatTlsPin(parsed.pin)] : [];
  });
  return pins.some((pin) => shown.includes(formatTlsPin(pin)));
}
