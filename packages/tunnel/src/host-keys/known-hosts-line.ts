import { hash } from "node:crypto";
import { matchesPatternList } from "../settings/patterns.ts";
import { asciiLowerCase } from "./known-hosts-name.ts";
import { blobType, isPublicKeyBlob } from "./public-key-blob.ts";

/** One line of known_hosts that OpenSSH would use. */
export interface KnownHostsLine {
  readonly marker: "none" | "cert-authority" | "revoked";
  readonly names: NameMatcher;
  readonly type: string;
  readonly blob: Buffer;
}

/** Whether a line is about a host; the name is in lower case. */
export type NameMatcher = (name: string) => boolean;

/** A line, or why it is none: `blank` has nothing in it, the others are what OpenSSH skips. */
export type ParsedLine =
  | { readonly kind: "entry"; readonly line: KnownHostsLine }
  | { readonly kind: "blank" }
  | { readonly kind: "malformed"; readonly reason: string };

const HASHED_NAME = /^\|1\|([A-Za-z0-9+/]{27}=)\|([A-Za-z0-9+/]{27}=)$/u;

/** One block of SHA-1, and one result. */
const ZEROS = Buffer.alloc(64);
const EMPTY_DIGEST = Buffer.alloc(20);

/** OpenSSH gives a line up that has a longer pattern. */
const MAX_PATTERN_LENGTH = 1022;

/** Reads one line without its line break. Bytes beyond ASCII are taken as they are (latin1). */
export function parseKnownHostsLine(text: string): ParsedLine {
  // For OpenSSH a line ends where C ends a string; a carriage return is not part of the base64.
  const [beforeNul = ""] = text.split("\0", 1);
  let rest = skipBlanks(beforeNul.replace(/\r$/u, ""));
  if (rest === "" || rest.startsWith("#")) return { kind: "blank" };

  let marker: KnownHostsLine["marker"] = "none";
  while (rest.startsWith("@")) {
    const [word, after] = nextField(rest);
    if (marker !== "none") return malformed("more than one marker");
    if (word !== "@cert-authority" && word !== "@revoked") return malformed("an unknown marker");
    marker = word === "@revoked" ? "revoked" : "cert-authority";
    rest = after;
  }

  const [names, afterNames] = nextField(rest);
  const [type, afterType] = nextField(afterNames);
  const [base64] = nextField(afterType);
  if (names === "" || type === "" || type.startsWith("#") || base64 === "") {
    return malformed("a field is missing");
  }
  const matcher = nameMatcher(names);
  if (matcher === undefined) return malformed("a hashed name that is none");
  const blob = decodeBase64(base64);
  if (blob === undefined) return malformed("a key that is not base64");
  const keyType = plainType(type);
  if (blobType(blob) !== keyType) return malformed("a key that is not of the type in front of it");
  if (!isPublicKeyBlob(blob, keyType) && !isCertificateType(keyType)) {
    return malformed("a key that is none");
  }
  return { kind: "entry", line: { marker, names: matcher, type: keyType, blob } };
}

/** The hashed form of a name: HMAC-SHA1 of it, keyed with 20 random bytes. */
export function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString("base64")}|${hmac(name, salt)}`;
}

function nameMatcher(names: string): NameMatcher | undefined {
  if (names.startsWith("|")) {
    const [, salt, digest] = HASHED_NAME.exec(names) ?? [];
    if (salt === undefined) return undefined;
    return (name) => hmac(name, Buffer.from(salt, "base64")) === digest;
  }
  const patterns = asciiLowerCase(names);
  if (patterns.split(",").some((pattern) => pattern.length > MAX_PATTERN_LENGTH)) {
    return () => false;
  }
  return (name) => matchesPatternList(Buffer.from(name, "utf8").toString("latin1"), patterns);
}

/**
 * HMAC-SHA1 of RFC 2104. `createHmac` makes a key object each time, and takes five times as long:
 * a file with ten thousand hashed names would hold everything else up for a quarter of a second.
 */
function hmac(name: string, salt: Buffer): string {
  const inner = Buffer.concat([salt, ZEROS.subarray(salt.length), Buffer.from(name, "utf8")]);
  const outer = Buffer.concat([inner.subarray(0, ZEROS.length), EMPTY_DIGEST]);
  for (let index = 0; index < ZEROS.length; index += 1) {
    inner[index] = (inner[index] ?? 0) ^ 0x36;
    outer[index] = (outer[index] ?? 0) ^ 0x5c;
  }
  hash("sha1", inner, "buffer").copy(outer, ZEROS.length);
  return hash("sha1", outer, "base64");
}

/** The type that the key of a line has to name: `rsa-sha2-…` is a way to sign, not a type of key. */
function plainType(type: string): string {
  return /^rsa-sha2-(?:256|512)$/u.test(type) ? "ssh-rsa" : type;
}

/** Such a line matches no key, but it makes the host a known one with another key. */
function isCertificateType(type: string): boolean {
  return /^[\w-]+-cert-v01@openssh\.com$/u.test(type);
}

/** Buffer skips what is not base64; OpenSSH does not take the line then. */
function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/u.test(text)) return undefined;
  const blob = Buffer.from(text, "base64");
  // Bits that belong to no byte have to be zero.
  const rest = blob.subarray(blob.length - (blob.length % 3));
  return text.endsWith(rest.toString("base64")) ? blob : undefined;
}

function nextField(text: string): [field: string, rest: string] {
  const end = text.search(/[ \t]/u);
  return end === -1 ? [text, ""] : [text.slice(0, end), skipBlanks(text.slice(end))];
}

function skipBlanks(text: string): string {
  return text.replace(/^[ \t]+/u, "");
}

function malformed(reason: string): ParsedLine {
  return { kind: "malformed", reason };
}
