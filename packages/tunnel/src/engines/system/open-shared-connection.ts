import { TunnelError } from "../../errors.ts";
import type { EngineInfo, EngineOptions, SshConnection } from "../engine.ts";
import { childEnvironment } from "./child-environment.ts";
import { type RecordedChild, recordChild } from "./child-records.ts";
import { startConnectClock } from "./connect-clock.ts";
import { explainFailure, lastWords, placeOf } from "./explain-failure.ts";
import { connectToMaster } from "./mux/control-connection.ts";
import { explainHops } from "./explain-hops.ts";
import { controlPathIn, masterOptions, waitForMaster } from "./master.ts";
import { tellNewKeys } from "./new-host-keys.ts";
import type { ResolvedSystemEngineOptions } from "./open-system-connection.ts";
import { createPrivateDirectory, type PrivateDirectory } from "./private-directory.ts";
import { planRoute, type SystemRoute } from "./route.ts";
import { type SharedMaster, sharedConnection } from "./shared-connection.ts";
import { type ChildExit, type SshChild, startSsh } from "./ssh-child.ts";
import { askSshVersion, type SshVersion } from "./ssh-version.ts";

/** A touch of a security key is waited for this long, on top of the time to connect. */
const TOUCH_MS = 60_000;

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
  const env = childEnvironment(using.env);
  const version = await askSshVersion(using.sshProgram, env);
  const directory = await createPrivateDirectory();
  try {
    const controlPath = controlPathIn(directory.path);
    const route = await planRoute({
      using,
      options,
      version,
      env,
      directory: directory.path,
      mayAsk: false,
      more: masterOptions(controlPath),
      sharing: { controlPath },
      signal,
    });
    signal.throwIfAborted();
    const child = await startSsh({ program: using.sshProgram, args: route.args, env });
    const started = { using, options, version, directory, controlPath, route, child };
    return await authenticated(started, signal);
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

interface Started {
  readonly using: ResolvedSystemEngineOptions;
  readonly options: EngineOptions;
  readonly version: SshVersion;
  readonly directory: PrivateDirectory;
  readonly controlPath: string;
  readonly route: SystemRoute;
  readonly child: SshChild;
}

async function authenticated(started: Started, signal: AbortSignal): Promise<SshConnection> {
  const { options, controlPath, route, child } = started;
  const { promise: gaveUp, reject: giveUp } = Promise.withResolvers<never>();
  // Whoever waits for it at that moment sees the reason; there may be nobody.
  gaveUp.catch(() => {});
  const abort = (): void => giveUp(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const clock = startConnectClock(options.connectTimeoutMs, () => giveUp(tooSlow(started)));
  announceTouch(started, clock.pause);
  let hasFailed = false;
  let record: RecordedChild | undefined;
  void child.ended.then(async (exit) => giveUp(await causeOf(started, exit)));
  try {
    record = await recorded(started);
    const control = await waitForMaster(child, controlPath, gaveUp);
    const master = await Promise.race([takeOver(started, control), gaveUp]);
    // By now ssh writes another command line over its own.
    await record?.refresh();
    await tellNewKeys({ options, route, log: child.log });
    return sharedConnection({
      ...master,
      child,
      options,
      info: infoOf(started),
      place: placeOf(options.settings),
      causeOf: (exit) => causeOf(started, exit),
      cleanUp: async () => {
        await Promise.all([record?.forget(), started.directory.remove()]);
      },
    });
  } catch (error) {
    hasFailed = true;
    throw error;
  } finally {
    clock.clear();
    signal.removeEventListener("abort", abort);
    if (hasFailed) {
      child.kill();
      await child.ended;
      await record?.forget();
    }
  }
}

/**
 * Two connections to the master: one carries the channels, the other asks the master itself whether it
 * still runs. Then the socket goes away: nobody else can use the connection, and ssh ends when these
 * two do, also when this process is killed.
 */
async function takeOver(
  { controlPath }: Started,
  control: SharedMaster["control"],
): Promise<SharedMaster> {
  const carrier = await connectToMaster(controlPath);
  if (carrier === undefined) throw new TunnelError("ENGINE_FAILED", "ssh stopped sharing.");
  const { socket, received } = await carrier.becomeProxy();
  await control.stopListening();
  return { control, socket, received };
}

async function recorded({
  options,
  child,
  directory,
}: Started): Promise<RecordedChild | undefined> {
  if (options.stateDirectory === undefined) return undefined;
  try {
    return await recordChild(options.stateDirectory, { pid: child.pid, directory: directory.path });
  } catch (error) {
    options.logger.warn({ err: error }, "the ssh process could not be recorded");
    return undefined;
  }
}

/** Why ssh has ended. */
async function causeOf(
  { options, route, child }: Pick<Started, "options" | "route" | "child">,
  exit: ChildExit,
): Promise<TunnelError> {
  const { settings } = options;
  const failed = {
    settings,
    log: child.log,
    known: route.known,
    usesProxyCommand: route.usesProxyCommand,
    exitCode: exit.code,
  };
  const heardTarget = child.log.facts.serverVersion !== undefined;
  const isOpen = child.log.facts.stage === "keepalive";
  const ofHops =
    heardTarget && !isOpen ? undefined : await explainHops(route.hops, options.settings, exit.code);
  const cause = ofHops ?? explainFailure(failed);
  if (cause !== undefined) return cause;
  const how = exit.signal ?? `exit code ${exit.code}`;
  const stderr = lastWords(child.log);
  return new TunnelError("ENGINE_FAILED", `ssh to ${placeOf(settings)} ended with ${how}.`, {
    details: { exitCode: exit.code, stderr, stage: child.log.facts.stage },
  });
}

function tooSlow({ options, child }: Started): TunnelError {
  const { settings, connectTimeoutMs } = options;
  const { stage, agent, hasChosenKeys } = child.log.facts;
  const place = placeOf(settings);
  const awaitsAgent = stage === "authentication" && agent === "silent" && !hasChosenKeys;
  if (awaitsAgent && settings.identityAgent !== undefined) {
    return new TunnelError(
      "AGENT_LOCKED",
      `the agent did not list its keys within ${connectTimeoutMs} ms.`,
      { details: { stage }, hint: "See whether it answers: ssh-add -l" },
    );
  }
  const message = `${place} did not answer within ${connectTimeoutMs} ms (${stage}).`;
  return new TunnelError("TIMED_OUT", message, { details: { stage } });
}

/** ssh has no terminal to tell it on. */
function announceTouch({ child, options }: Started, pause: () => () => void): void {
  let resume: (() => void) | undefined;
  child.onLine(() => {
    resume?.();
    resume = undefined;
    const { acceptedKey, stage } = child.log.facts;
    if (stage !== "authentication" || acceptedKey?.isSecurityKey !== true) return;
    options.logger.info({ key: acceptedKey.name }, "touch the security key to log in");
    resume = pause();
    setTimeout(resume, TOUCH_MS).unref();
  });
}

function infoOf({ using, version, route, child }: Started): EngineInfo {
  const { hostKey, cipher, serverVersion } = child.log.facts;
  return {
    name: "system",
    version: version.text,
    reason: using.reason,
    cryptography: "openssh",
    cipher,
    serverVersion,
    hostKey: hostKey && { name: route.known.name.display, ...hostKey },
    pid: child.pid,
  };
}
