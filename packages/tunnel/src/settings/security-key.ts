import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** More than any key file that ssh writes. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAGIC = "openssh-key-v1\0";

/**
 * Whether an identity file is the handle of a security key, which signs on a device and only when it
 * is touched. The type stands in the open, also where the rest is encrypted. A missing file is judged
 * by the public key beside it: the agent may have the other half.
 */
export async function isSecurityKey(identityFile: string): Promise<boolean> {
  const text = await readStart(identityFile);
  if (text === undefined) return isPublicSecurityKey(await readStart(`${identityFile}.pub`));
  return isPublicSecurityKey(text) || isPrivateSecurityKey(text);
}

function isPublicSecurityKey(text: string | undefined): boolean {
  return text !== undefined && text.startsWith("sk-");
}

function isPrivateSecurityKey(text: string): boolean {
  const [, body] =
    /^-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]*)/u.exec(text.trimStart()) ?? [];
  if (body === undefined) return false;
  const bytes = Buffer.from(body, "base64");
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return false;
  // Cipher, key derivation and its options, then the number of keys and the first public key.
  const afterOptions = skip(bytes, skip(bytes, skip(bytes, MAGIC.length)));
  if (afterOptions === undefined) return false;
  const type = read(bytes, afterOptions + 4 + 4);
  return type?.toString("latin1").startsWith("sk-") ?? false;
}

function skip(bytes: Buffer, offset: number | undefined): number | undefined {
  if (offset === undefined) return undefined;
  const text = read(bytes, offset);
  return text && offset + 4 + text.length;
}

/** A string with its length before it. */
function read(bytes: Buffer, offset: number): Buffer | undefined {
  if (offset + 4 > bytes.length) return undefined;
  const end = offset + 4 + bytes.readUInt32BE(offset);
  return end > bytes.length ? undefined : bytes.subarray(offset + 4, end);
}

async function readStart(path: string): Promise<string | undefined> {
  try {
    // Without O_NONBLOCK a pipe in place of the file would hold the call for ever.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
    await using file = await open(path, flags);
    const buffer = Buffer.alloc(MAX_HEADER_BYTES);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } catch {
    // Missing or unreadable: whoever uses the file will say so.
    return undefined;
  }
}
