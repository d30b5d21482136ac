import {
  assertPinned,
  keyIsRecorded,
  learningOptions,
  pinnedKeyFile,
  pinnedOptions,
} from "./pinned-key.ts";
import { planRoute, unshared } from "./arguments/route.ts";
import type { SshOption } from "./arguments/ssh-options.ts";
import { startOnRoute, type StartSetting } from "./start-on-route.ts";

/**
 * Where one key is the only one to accept: learns the key of the target, and makes it the only one
 * that is known.
 *
 * @returns what the connection itself is to be started with
 * @throws {@link TunnelError} `HOST_KEY_CHANGED` before anything was offered to another host
 */
export async function pinTarget(setting: StartSetting): Promise<readonly SshOption[]> {
  const { options, plan, attempt } = setting;
  const pinned = options.hostKeyFingerprint;
  if (pinned === undefined) return [];
  const file = pinnedKeyFile(plan.directory);
  const more = [...learningOptions(file, plan.version), ...unshared];
  const route = await planRoute({ ...plan, more, sharing: { controlPath: undefined } });
  let isKnown = false;
  const child = await startOnRoute(setting, { options, route }, () => !isKnown);
  try {
    await keyIsRecorded(child, attempt.failed);
    isKnown = true;
  } finally {
    child.kill();
    await child.ended;
  }
  await assertPinned(file, route.known.name.display, pinned);
  return pinnedOptions(file, plan.version);
}
