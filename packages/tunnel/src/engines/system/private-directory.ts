import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "openclaw-ssh-";
/**
 * ssh listens on a name of 17 more characters before it gives the socket its own, and the system takes
 * 104 bytes at most.
 */
const MAX_PARENT_BYTES = 104 - 1 - PREFIX.length - 6 - "/c".length - 17 - 1;

/** A directory (0700) for sockets that nobody else can reach. */
export interface PrivateDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** Creates a directory whose path is short enough for a Unix socket in it. */
export async function createPrivateDirectory(): Promise<PrivateDirectory> {
  const usual = tmpdir();
  const parent = Buffer.byteLength(usual) <= MAX_PARENT_BYTES ? usual : "/tmp";
  // mkdtemp creates with 0700, whatever the umask.
  const path = await mkdtemp(join(parent, PREFIX));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Whether a name is one that {@link createPrivateDirectory} gives. */
export function isPrivateDirectoryName(name: string): boolean {
  return name.startsWith(PREFIX) && /^[A-Za-z0-9]{6}$/u.test(name.slice(PREFIX.length));
}
