/** What a certificate is recognised by. */
export interface TlsPin {
  readonly kind: "certificate" | "public key";
  /** SHA-256, 64 lower-case hex digits. */
  readonly digest: string;
}

/** The certificate that a server has shown. */
export interface ShownCertificate {
  /** SHA-256 of the certificate, `AB:CD:…`. */
  readonly fingerprint: string;
  /** SHA-256 of its public key, `sha256//<base64>`. */
  readonly publicKey: string;
}

/** The pin in use, and the one that is to follow it. */
const MOST_PINS = 2;

/**
 * Reads what may be pinned: the SHA-256 of a certificate in hex, colons and case ignored, or that of
 * a public key as `sha256//<base64>`. No pins at all are an empty list.
 */
export function readTlsPins(
  given: string | readonly string[] | undefined,
): { ok: true; pins: readonly TlsPin[] } | { ok: false; fault: string } {
  const texts = typeof given === "string" ? [given] : (given ?? []);
  if (texts.length > MOST_PINS) return { ok: false, fault: `${texts.length} pins were given` };
  const pins = texts.map(readTlsPin);
  const isPin = (pin: TlsPin | undefined): pin is TlsPin => pin !== undefined;
  if (pins.every(isPin)) return { ok: true, pins };
  const wrong = texts.find((_, index) => pins[index] === undefined) ?? "";
  return { ok: false, fault: `${JSON.stringify(wrong.slice(0, 100))} is no pin` };
}

function readTlsPin(text: string): TlsPin | undefined {
  const trimmed = text.trim();
  const base64 = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/.exec(trimmed)?.[1];
  if (base64 !== undefined) {
    const digest = hexOf(base64);
    return digest === undefined ? undefined : { kind: "public key", digest };
  }
  const digits = trimmed.replace(/^sha-?256(?: fingerprint)?[:=]/i, "").replaceAll(":", "");
  return /^[\da-f]{64}$/i.test(digits)
    ? { kind: "certificate", digest: digits.toLowerCase() }
    : undefined;
}

/** Whether one of the pins is that of the certificate, or of its public key. */
export function matchesTlsPin(pins: readonly TlsPin[], shown: ShownCertificate): boolean {
  const certificate = readTlsPin(shown.fingerprint)?.digest;
  const publicKey = readTlsPin(shown.publicKey)?.digest;
  return pins.some(({ kind, digest }) =>
    kind === "certificate" ? digest === certificate : digest === publicKey,
  );
}

/** A pin the way it is compared by eye: `AB:CD:…` or `sha256//<base64>`. */
export function formatTlsPin({ kind, digest }: TlsPin): string {
  const pairs = digest.match(/../g) ?? [];
  if (kind === "certificate") return pairs.join(":").toUpperCase();
  return `sha256//${btoa(String.fromCharCode(...pairs.map((pair) => Number.parseInt(pair, 16))))}`;
}

function hexOf(base64: string): string | undefined {
  const digest = Array.from(atob(base64), (byte) =>
    byte.charCodeAt(0).toString(16).padStart(2, "0"),
  ).join("");
  // The last character holds four bits that say nothing; another spelling is another text.
  return formatTlsPin({ kind: "public key", digest }) === `sha256//${base64}` ? digest : undefined;
}
