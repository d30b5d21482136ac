import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TunnelError } from "../../errors.ts";
import { isSameFingerprint } from "../../host-keys/fingerprint.ts";
import { otherThanPinned } from "../../host-keys/host-key-refusals.ts";
import { parseKnownHosts } from "../../host-keys/known-hosts.ts";
import { fingerprintOf } from "../../host-keys/fingerprint.ts";
import type { SshChild } from "./ssh-child.ts";
import { quoteConfigPath, type SshOption } from "./arguments/ssh-options.ts";
import { isAtLeast, type SshVersion } from "./arguments/ssh-version.ts";

// ssh knows no pinned fingerprints, only keys. So it connects twice: the first time to be shown the
// key, with every way to authenticate switched off; the second time with that key as the only one it
// knows, if it is the pinned one.

/** Where the key of the target goes. */
export function pinnedKeyFile(directory: string): string {
  return join(directory, "host-key");
}

/** For the first connection: learns the key, and authenticates with nothing. */
export function learningOptions(file: string, version: SshVersion): readonly SshOption[] {
  return [
    ["StrictHostKeyChecking", "accept-new"],
    ["UpdateHostKeys", "no"],
    ...onlyKnownIn(file, version),
    ["HashKnownHosts", "no"],
    ["PubkeyAuthentication", "no"],
    ["PasswordAuthentication", "no"],
    ["KbdInteractiveAuthentication", "no"],
    ["GSSAPIAuthentication", "no"],
    ["HostbasedAuthentication", "no"],
  ];
}

/** For the second connection: knows that key and no other. */
export function pinnedOptions(file: string, version: SshVersion): readonly SshOption[] {
  return [
    ["StrictHostKeyChecking", "yes"],
    ["UpdateHostKeys", "no"],
    ...onlyKnownIn(file, version),
  ];
}

/** Resolves when ssh has recorded a key, or has ended. */
export async function keyIsRecorded(child: SshChild, failed: Promise<never>): Promise<void> {
  const { promise: recorded, resolve } = Promise.withResolvers<void>();
  child.onLine(() => {
    if (child.log.facts.recordedName !== undefined) resolve();
  });
  await Promise.race([recorded, failed]);
}

/**
 * Whether the recorded key is the pinned one.
 *
 * @throws {@link TunnelError} `HOST_KEY_CHANGED` when it is another
 */
export async function assertPinned(file: string, name: string, pinned: string): Promise<void> {
  const { entries } = parseKnownHosts(await readFile(file), file);
  const keys = entries.map(({ type, blob }) => ({ name, type, fingerprint: fingerprintOf(blob) }));
  if (keys.length > 0 && keys.every((key) => isSameFingerprint(key.fingerprint, pinned))) return;
  const [other] = keys;
  if (other !== undefined) throw otherThanPinned(other, pinned);
  throw new TunnelError("HOST_KEY_UNKNOWN", `ssh did not tell the host key of ${name}.`);
}

function onlyKnownIn(file: string, version: SshVersion): readonly SshOption[] {
  return [
    ["UserKnownHostsFile", quoteConfigPath(file)],
    // A file that is never there.
    ["GlobalKnownHostsFile", quoteConfigPath(`${file}-of-nobody`)],
    ...(isAtLeast(version, { major: 8, minor: 5 })
      ? ([["KnownHostsCommand", "none"]] as const)
      : []),
  ];
}
