import { spawn } from "node:child_process";
import { TunnelError } from "../../errors.ts";
import type { SshConnection } from "../engine.ts";
import type { RecordedChild } from "./child-records.ts";
import { placeOf } from "./failures/explain-failure.ts";
import { failureOfSsh } from "./failures/failure-of-ssh.ts";
import { controlPathIn, masterOptions, waitForMaster } from "./master.ts";
import { connectToMaster } from "./mux/control-connection.ts";
import { tellNewKeys } from "./new-host-keys.ts";
import { planRoute } from "./arguments/route.ts";
import { sharedConnection, type SharedMaster } from "./shared-connection.ts";
import type { SshChild } from "./ssh-child.ts";
import type { SshOption } from "./arguments/ssh-options.ts";
import { infoOf, recordIfAsked, startOnRoute, type StartSetting } from "./start-on-route.ts";

/** What ssh says when it ends comes at most this much later than the end of its socket. */
const LAST_WORDS_MS = 1000;
/** For the one session of `lowLatency`. */
const LOW_LATENCY_PATIENCE_MS = 2000;

/**
 * Has ssh connect and share its connection, and then speaks the connection protocol through it: each
 * channel, each command and each question is a message of ours, and each answer says exactly what the
 * far side said. No port and no path of the user is involved.
 */
export async function connectShared(
  setting: StartSetting,
  pinning: readonly SshOption[],
): Promise<SshConnection> {
  const { options, directory, attempt, plan } = setting;
  const controlPath = controlPathIn(directory.path);
  const more = [...masterOptions(controlPath), ...pinning];
  const route = await planRoute({ ...plan, more, sharing: { controlPath } });
  const pinned = options.hostKeyFingerprint;
  const child = await startOnRoute(setting, { options, route, pinned });
  let record: RecordedChild | undefined;
  try {
    record = await recordIfAsked(setting, child);
    const master = await Promise.race([
      attempt.failed,
      takeOver(setting, child, controlPath),
    ]).catch((error: unknown) => betterReason(error, attempt.failed));
    // By now ssh has written another command line over its own.
    await record?.refresh();
    await tellNewKeys({ options, route, log: child.log });
    // Nothing in it is needed any more, but for the words of the hosts on the way.
    if (route.hops.length === 0) await directory.remove();
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

/**
 * Two connections to the master: one carries the channels, the other asks the master itself whether it
 * still runs. Then the socket goes away: nobody else can use the connection, and ssh ends when these
 * two do, also when this process is killed.
 */
async function takeOver(
  setting: StartSetting,
  child: SshChild,
  controlPath: string,
): Promise<SharedMaster> {
  const control = await waitForMaster(child, controlPath, setting.attempt.failed);
  const carrier = await connectToMaster(controlPath);
  if (carrier === undefined) throw new TunnelError("ENGINE_FAILED", "ssh stopped sharing.");
  const { socket, received } = await carrier.becomeProxy();
  if (setting.using.lowLatency) await lowerLatency(setting, controlPath);
  await control.stopListening();
  return { control, socket, received };
}

/**
 * Both ssh and sshd switch Nagle's algorithm off for a connection on which a terminal was asked for,
 * and for good. Only a client of the master can ask for one on both sides.
 */
function lowerLatency({ using, plan, options }: StartSetting, controlPath: string): Promise<void> {
  return new Promise((resolve) => {
    const args = ["-F", "none", "-S", controlPath, "-tt", "--", "shared", "true"];
    const client = spawn(using.sshProgram, args, {
      env: plan.env,
      stdio: "ignore",
      timeout: LOW_LATENCY_PATIENCE_MS,
      killSignal: "SIGKILL",
    });
    client.once("error", () => resolve());
    client.once("exit", (code) => {
      if (code !== 0) options.logger.debug({ code }, "the server allows no terminal");
      resolve();
    });
  });
}

/** A control socket breaks when ssh ends, and what ssh says then, a moment later, is the reason. */
function betterReason(error: unknown, failed: Promise<never>): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(reject, LAST_WORDS_MS, error).unref();
  return Promise.race([failed, promise]);
}
