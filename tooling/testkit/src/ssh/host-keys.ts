import { copyFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { generateSshKey, readSshKey } from "./ssh-keys.ts";
import type { SshKey, SshKeyType } from "./ssh-keys.ts";

/** Which keys a server shows. */
export interface HostKeyOptions {
  /** @default ["ed25519"] */
  hostKeyTypes?: readonly SshKeyType[];
  /** Keys of another server, or keys made beforehand; they are copied. @default new ones */
  hostKeys?: readonly SshKey[];
}

/** New keys, or copies of the given ones: the directory they came from may go away. */
export async function prepareHostKeys(
  directory: string,
  { hostKeyTypes = ["ed25519"], hostKeys }: HostKeyOptions,
): Promise<SshKey[]> {
  if (hostKeys === undefined) {
    return Promise.all(hostKeyTypes.map((type) => generateSshKey({ type, directory })));
  }
  return Promise.all(
    hostKeys.map(async ({ type, privateKeyPath, publicKeyPath }) => {
      const copy = join(directory, basename(privateKeyPath));
      await copyFile(privateKeyPath, copy);
      await copyFile(publicKeyPath, `${copy}.pub`);
      return readSshKey(type, copy);
    }),
  );
}
