import { nodeCrypto } from "../node-crypto.ts";

/**
 * What tells one text of a config file from another, for compare-and-swap; opaque. A file that is
 * missing has one too.
 *
 * @param key makes a hash that tells nobody anything about the text, for those who may not read its
 * secrets: a plain one lets a short password be guessed. Without it the hash is the same everywhere.
 */
export function hashConfigText(text: string | undefined, key?: Uint8Array): string {
  const content = text === undefined ? "missing" : `text:${text}`;
  return key === undefined
    ? `sha256:v1:${nodeCrypto().createHash("sha256").update(content).digest("base64url")}`
    : `hmac-sha256:v1:${nodeCrypto().createHmac("sha256", key).update(content).digest("base64url")}`;
}
