import { randomBytes } from "node:crypto";
import { mkdir, open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { TunnelError } from "../errors.ts";
import { withAppendLock } from "./append-lock.ts";
import { hashName } from "./known-hosts-line.ts";
import { asciiLowerCase, isRecordableName } from "./known-hosts-name.ts";
import { parseKnownHosts } from "./known-hosts.ts";

/** A host key to be known from now on. */
export interface NewHostKey {
  /** The first UserKnownHostsFile. */
  readonly file: string;
  /** As `KnownHostsName.display` has it. */
  readonly name: string;
  readonly type: string;
  readonly blob: Buffer;
  /** HashKnownHosts: the file does not tell the name. */
  readonly hash: boolean;
}

/**
 * Appends one line to a known_hosts file, which is made if it does not exist (0600, its directory
 * 0700). Nothing that stands there is written again, so that other programs may append at the same
 * time; a key that is there already is not added twice.
 *
 * @returns whether a line was added
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG` with `details.file`
 */
export async function recordHostKey(key: NewHostKey): Promise<boolean> {
  const { file, name } = key;
  if (!isRecordableName(name)) throw unrecordable(file, "the name of the host would be a pattern");
  try {
    if (await isDevice(file)) return false;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return await withAppendLock(`${file}.lock`, async () => {
      const handle = await open(file, "a+", 0o600);
      try {
        return await append(handle, key);
      } finally {
        await handle.close();
      }
    });
  } catch (cause) {
    if (cause instanceof TunnelError) throw cause;
    throw unrecordable(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** `/dev/null` is how people say that nothing is to be recorded. */
async function isDevice(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isCharacterDevice();
  } catch {
    return false;
  }
}

async function append(handle: FileHandle, key: NewHostKey): Promise<boolean> {
  const { file, blob, type, hash } = key;
  const name = asciiLowerCase(key.name);
  const content = await handle.readFile();
  const isThere = parseKnownHosts(content, file).entries.some(
    (entry) => entry.marker === "none" && entry.blob.equals(blob) && entry.names(name),
  );
  if (isThere) return false;

  const field = hash ? hashName(name, randomBytes(20)) : name;
  // A line without its end would swallow ours.
  const lineEnd = content.length > 0 && content.at(-1) !== 0x0a ? "\n" : "";
  const bytes = Buffer.from(`${lineEnd}${field} ${type} ${blob.toString("base64")}\n`);
  // One write of a file opened for appending: another process cannot write into the middle of it.
  const { bytesWritten } = await handle.write(bytes);
  if (bytesWritten !== bytes.length) throw unrecordable(file, "the disk took only a part of it");
  return true;
}

function unrecordable(file: string, why: string, cause?: unknown): TunnelError {
  return new TunnelError("INVALID_SSH_CONFIG", `cannot record a host key in ${file}: ${why}.`, {
    cause,
    details: { file },
    hint: "Make the file writable, or name another with UserKnownHostsFile.",
  });
}
