import type { EngineInfo, EngineOptions } from "../engine.ts";
import type { Attempt } from "./attempt.ts";
import { recordChild, type RecordedChild } from "./child-records.ts";
import { failureOfSsh, type SshOnRoute } from "./failures/failure-of-ssh.ts";
import type { PrivateDirectory } from "./private-directory.ts";
import type { PlanRouteInput } from "./arguments/route.ts";
import { type SshChild, startSsh } from "./ssh-child.ts";
import type { ResolvedSystemEngineOptions } from "./system-engine-options.ts";

/** A touch of a security key is waited for this long, on top of the time to connect. */
const TOUCH_MS = 60_000;

/** What all of one attempt needs. */
export interface StartSetting {
  readonly using: ResolvedSystemEngineOptions;
  readonly options: EngineOptions;
  readonly directory: PrivateDirectory;
  readonly attempt: Attempt;
  /** Everything of a route but what it is for. */
  readonly plan: Omit<PlanRouteInput, "more" | "sharing">;
  /** The ssh that runs now, for whoever runs out of patience. */
  current: SshChild | undefined;
}

/** Starts ssh. When it ends while it is needed, so does the attempt. */
export async function startOnRoute(
  setting: StartSetting,
  on: Omit<SshOnRoute, "child">,
  isNeeded: () => boolean = () => true,
): Promise<SshChild> {
  const { using, plan, attempt } = setting;
  plan.signal.throwIfAborted();
  const child = await startSsh({ program: using.sshProgram, args: on.route.args, env: plan.env });
  setting.current = child;
  announceTouch(child, setting);
  void child.ended.then(async (exit) => {
    if (isNeeded()) attempt.fail(await failureOfSsh({ ...on, child }, exit));
  });
  return child;
}

/** Writes the child down where a later run looks. Without it, only that run knows less. */
export async function recordIfAsked(
  { options, directory }: StartSetting,
  { pid }: SshChild,
  localPorts: readonly number[] = [],
): Promise<RecordedChild | undefined> {
  if (options.stateDirectory === undefined) return undefined;
  try {
    const record = { pid, localPorts, directory: directory.path };
    return await recordChild(options.stateDirectory, record);
  } catch (error) {
    options.logger.warn({ err: error }, "the ssh process could not be recorded");
    return undefined;
  }
}

/** What carries the connection, as far as the log told. */
export function infoOf(
  { using, plan }: StartSetting,
  { log, pid }: SshChild,
  hostName: string,
): EngineInfo {
  const { hostKey, cipher, serverVersion } = log.facts;
  return {
    name: "system",
    version: plan.version.text,
    reason: using.reason,
    cryptography: "openssh",
    cipher,
    serverVersion,
    hostKey: hostKey && { name: hostName, ...hostKey },
    pid,
  };
}

/** ssh has no terminal to tell it on. */
function announceTouch(child: SshChild, { options, attempt }: StartSetting): void {
  let resume: (() => void) | undefined;
  child.onLine((line) => {
    resume?.();
    resume = undefined;
    const { acceptedKey, stage } = child.log.facts;
    if (stage !== "authentication" || !line.startsWith("debug1: Server accepts key: ")) return;
    if (acceptedKey?.isSecurityKey !== true) return;
    options.logger.info({ key: acceptedKey.name }, "touch the security key to log in");
    resume = attempt.pause();
    setTimeout(resume, TOUCH_MS).unref();
  });
}
