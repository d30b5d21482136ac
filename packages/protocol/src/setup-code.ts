import { decodeBase64Url, encodeBase64Url } from "./device-auth.ts";

/** What a setup code says: where the Gateway is, and the one-time token that lets one device in. */
export interface SetupCode {
  /** `ws:` or `wss:` address, without credentials and without a slash at the end. */
  url: string;
  /** Every address there is, the best first; at most eight. */
  urls?: string[];
  /** Shown once in `connect` as `auth.bootstrapToken`. */
  bootstrapToken: string;
  expiresAtMs: number;
  /** SHA-256 of the Gateway's certificate: the only one to accept. */
  tlsFingerprint?: string;
}

/** Why a text is no setup code that can be used. */
export type SetupCodeProblem =
  /** It is not base64url, or what it holds is not JSON of that shape. */
  | "malformed"
  /** It stands behind a scheme other than `oc-pair://`. */
  | "unknown-scheme"
  /** An address in it is not one of `ws:` or `wss:`. */
  | "bad-url"
  | "expired";

export type DecodedSetupCode =
  | { ok: true; code: SetupCode }
  | { ok: false; problem: SetupCodeProblem };

/** May stand before a code, so that a system knows which program it is for. */
export const SETUP_CODE_SCHEME = "oc-pair://";

/** How long a setup code may be used. */
export const SETUP_CODE_TTL_MS = 600_000;

/** How many addresses one code holds at most. */
export const MAX_SETUP_URLS = 8;

/** A code is a few hundred characters; whatever is longer is something else. */
const MAX_CODE_CHARS = 16_384;

/** Writes a setup code: base64url of JSON, without padding and without the scheme. */
export function encodeSetupCode({
  url,
  urls,
  bootstrapToken,
  expiresAtMs,
  tlsFingerprint,
}: SetupCode): string {
  const json = JSON.stringify({ url, urls, bootstrapToken, expiresAtMs, tlsFingerprint });
  return encodeBase64Url(new TextEncoder().encode(json));
}

/**
 * Reads a setup code as a person pasted it: with or without `oc-pair://`, with spaces and line breaks
 * of a terminal in it. Never throws.
 */
export function decodeSetupCode(text: string, now: number): DecodedSetupCode {
  if (text.length > MAX_CODE_CHARS) return { ok: false, problem: "malformed" };
  const bare = withoutScheme(text.replaceAll(/\s/g, ""));
  if (bare === undefined) return { ok: false, problem: "unknown-scheme" };
  const value = parse(bare);
  if (typeof value !== "object" || value === null) return { ok: false, problem: "malformed" };
  const { url, urls, bootstrapToken, expiresAtMs, tlsFingerprint } = value as Record<
    string,
    unknown
  >;
  if (
    typeof url !== "string" ||
    !isTokenText(bootstrapToken) ||
    !Number.isSafeInteger(expiresAtMs) ||
    !(urls === undefined || isShortTextList(urls)) ||
    !(tlsFingerprint === undefined || typeof tlsFingerprint === "string")
  )
    return { ok: false, problem: "malformed" };
  const addresses = [url, ...(urls ?? [])].map(normalizeSetupUrl);
  const [first] = addresses;
  if (first === undefined || addresses.includes(undefined))
    return { ok: false, problem: "bad-url" };
  // Checked above to be a safe integer.
  const until = expiresAtMs as number;
  if (until <= now) return { ok: false, problem: "expired" };
  const code: SetupCode = { url: first, bootstrapToken, expiresAtMs: until };
  // Each was found to be an address.
  if (urls !== undefined) code.urls = [...new Set(addresses as string[])].slice(0, MAX_SETUP_URLS);
  if (tlsFingerprint !== undefined && tlsFingerprint !== "") code.tlsFingerprint = tlsFingerprint;
  return { ok: true, code };
}

/**
 * An address as setup codes hold it: `ws:` or `wss:` (what `http:` and `https:` mean too), no user,
 * password, query or fragment, no slash at the end. `undefined` for anything else.
 */
export function normalizeSetupUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined || url.username !== "" || url.password !== "" || url.hostname === "")
    return undefined;
  if (url.search !== "" || url.hash !== "") return undefined;
  return `${scheme}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
}

const SCHEMES: ReadonlyMap<string, string> = new Map([
  ["ws:", "ws:"],
  ["wss:", "wss:"],
  ["http:", "ws:"],
  ["https:", "wss:"],
]);

function withoutScheme(text: string): string | undefined {
  if (!text.includes(":")) return text;
  const prefix = text.slice(0, SETUP_CODE_SCHEME.length).toLowerCase();
  if (prefix !== SETUP_CODE_SCHEME) return undefined;
  return text.slice(SETUP_CODE_SCHEME.length).replace(/\/$/, "");
}

function parse(code: string): unknown {
  const bytes = decodeBase64Url(code);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isTokenText(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9._~-]{1,512}$/.test(value);
}

function isShortTextList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_SETUP_URLS &&
    value.every((item) => typeof item === "string")
  );
}
