import { TunnelError } from "../../errors.ts";
import type { EngineInfo, EngineOptions, SshConnection } from "../engine.ts";
import { type Askpass, startAskpass } from "./askpass.ts";
import { type Attempt, startAttempt } from "./attempt.ts";
import { childEnvironment } from "./child-environment.ts";
import { type RecordedChild, recordChild } from "./child-records.ts";
import { placeOf } from "./explain-failure.ts";
import { failureOfSsh, type SshOnRoute, tooSlow } from "./failure-of-ssh.ts";
import { controlPathIn, masterOptions, waitForMaster } from "./master.ts";
import { connectToMaster } from "./mux/control-connection.ts";
import { tellNewKeys } from "./new-host-keys.ts";
import type { ResolvedSystemEngineOptions } from "./open-system-connection.ts";
import {
  assertPinned,
  keyIsRecorded,
  learningOptions,
  pinnedKeyFile,
  pinnedOptions,
} from "./pinned-key.ts";
import { createPrivateDirectory, type PrivateDirectory } from "./private-directory.ts";
import { planRoute, type PlanRouteInput, unshared } from "./route.ts";
import { type SharedMaster, sharedConnection } from "./shared-connection.ts";
import { type SshChild, startSsh } from "./ssh-child.ts";
import type { SshOption } from "./ssh-options.ts";
import { askSshVersion } from "./ssh-version.ts";

/** A touch of a security key is waited for this long, on top of the time to connect. */
const TOUCH_MS = 60_000;
const LAST_WORDS_MS = 1000;

/** What all of one attempt needs. */
interface Setting {
  readonly using: ResolvedSystemEngineOptions;
  readonly options: EngineOptions;
  readonly directory: PrivateDirectory;
  readonly attempt: Attempt;
  /** Everything of a route but what it is for. */
  readonly plan: Omit<PlanRouteInput, "more" | "sharing">;
  /** The ssh that runs now, for whoever runs out of patience. */
  current: SshChild | undefined;
}

/**
 * Has ssh connect and share its connection, and then speaks the connection protocol through it: each
 * channel, each command and each question is a message of ours, and each answer says exactly what the
 * far side said. No port and no path of the user is involved.
 */
export async function openSharedConnection(
  using: ResolvedSystemEngineOptions,
  options: EngineOptions,
  signal: AbortSignal,
): Promise<SshConnection> {
  const version = await askSshVersion(using.sshProgram, childEnvironment(using.env));
  const directory = await createPrivateDirectory();
  const attempt = startAttempt(options.connectTimeoutMs, signal, () =>
    tooSlow(options, setting?.current?.log),
  );
  let askpass: Askpass | undefined;
  let setting: Setting | undefined;
  try {
    askpass = await startAskpass({
      ...{ version, directory: directory.path, logger: options.logger },
      callbacks: options.authentication,
      identityFiles: [...options.hops, options.settings].flatMap((one) => one.identityFiles),
      pause: () => attempt.pause(),
    });
    const plan = {
      ...{ using, options, version, signal },
      directory: directory.path,
      env: childEnvironment(using.env, askpass?.env),
      asking: askpass?.options,
    };
    setting = { using, options, directory, attempt, plan, current: undefined };
    const more = await pinTarget(setting);
    return await connectAndShare(setting, more);
  } catch (error) {
    await directory.remove();
    // Whatever was under way when it was given up.
    throw signal.aborted ? signal.reason : error;
  } finally {
    attempt.end();
    askpass?.close();
  }
}

/** Where one key is the only one to accept: learns it, and makes it the only one that is known. */
async function pinTarget(setting: Setting): Promise<readonly SshOption[]> {
  const { options, plan, attempt } = setting;
  const pinned = options.hostKeyFingerprint;
  if (pinned === undefined) return [];
  const file = pinnedKeyFile(plan.directory);
  const more = [...learningOptions(file, plan.version), ...unshared];
  const route = await planRoute({ ...plan, more, sharing: { controlPath: undefined } });
  let isKnown = false;
  const child = await start(setting, { options, route }, () => !isKnown);
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

async function connectAndShare(
  setting: Setting,
  pinning: readonly SshOption[],
): Promise<SshConnection> {
  const { options, directory, attempt, plan } = setting;
  const controlPath = controlPathIn(directory.path);
  const more = [...masterOptions(controlPath), ...pinning];
  const route = await planRoute({ ...plan, more, sharing: { controlPath } });
  const pinned = options.hostKeyFingerprint;
  const child = await start(setting, { options, route, pinned });
  announceTouch(child, setting);
  let record: RecordedChild | undefined;
  try {
    record = await recorded(setting, child);
    const master = await Promise.race([
      attempt.failed,
      takeOver(child, controlPath, attempt.failed),
    ]).catch((error: unknown) => betterReason(error, attempt.failed));
    // By now ssh has written another command line over its own.
    await record?.refresh();
    await tellNewKeys({ options, route, log: child.log });
    return sharedConnection({
      ...master,
      child,
      options,
      info: infoOf(setting, child, route.known.name.display),
      place: placeOf(options.settings),
      causeOf: (exit) => failureOfSsh({ options, route, child, pinned }, exit),
      async cleanUp() {
        await Promise.all([record?.forget(), directory.remove()]);
      },
    });
  } catch (error) {
    child.kill();
    await child.ended;
    await record?.forget();
    throw error;
  }
}

/** Starts ssh; when it ends before it is told to, so does the attempt. */
async function start(
  setting: Setting,
  on: Omit<SshOnRoute, "child">,
  isNeeded: () => boolean = () => true,
): Promise<SshChild> {
  const { using, plan, attempt } = setting;
  plan.signal.throwIfAborted();
  const child = await startSsh({ program: using.sshProgram, args: on.route.args, env: plan.env });
  setting.current = child;
  void child.ended.then(async (exit) => {
    if (isNeeded()) attempt.fail(await failureOfSsh({ ...on, child }, exit));
  });
  return child;
}

/**
 * Two connections to the master: one carries the channels, the other asks the master itself whether it
 * still runs. Then the socket goes away: nobody else can use the connection, and ssh ends when these
 * two do, also when this process is killed.
 */
async function takeOver(
  child: SshChild,
  controlPath: string,
  failed: Promise<never>,
): Promise<SharedMaster> {
  const control = await waitForMaster(child, controlPath, failed);
  const carrier = await connectToMaster(controlPath);
  if (carrier === undefined) throw new TunnelError("ENGINE_FAILED", "ssh stopped sharing.");
  const { socket, received } = await carrier.becomeProxy();
  await control.stopListening();
  return { control, socket, received };
}

/** A control socket breaks when ssh ends, and what ssh says then, a moment later, is the reason. */
function betterReason(error: unknown, failed: Promise<never>): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(reject, LAST_WORDS_MS, error);
  return Promise.race([failed, promise]);
}

async function recorded(
  { options, directory }: Setting,
  { pid }: SshChild,
): Promise<RecordedChild | undefined> {
  if (options.stateDirectory === undefined) return undefined;
  try {
    return await recordChild(options.stateDirectory, { pid, directory: directory.path });
  } catch (error) {
    options.logger.warn({ err: error }, "the ssh process could not be recorded");
    return undefined;
  }
}

/** ssh has no terminal to tell it on. */
function announceTouch(child: SshChild, { options, attempt }: Setting): void {
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

function infoOf({ using, plan }: Setting, { log, pid }: SshChild, hostName: string): EngineInfo {
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
