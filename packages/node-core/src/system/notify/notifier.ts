import { execFile } from "node:child_process";
import type { SystemNotifyParams } from "@openclaw/protocol";
import { CommandError } from "../../errors.ts";
import { childEnv, pathOf } from "../run/child-env.ts";
import { resolveExecutable } from "../run/resolve-executable.ts";
import type { SystemHost } from "../system-host.ts";
import { linuxNotification } from "./linux-notification.ts";
import { macNotification } from "./mac-notification.ts";
import { windowsNotification } from "./windows-notification.ts";

/** How one platform shows a notification. */
export interface NotificationCall {
  /** The program, looked up in PATH. */
  program: string;
  args: readonly string[];
  /** Added to the environment of the program. */
  env?: Readonly<Record<string, string>>;
  /** What to install when the program is missing. */
  install: string;
}

// A notification daemon that hangs must not hold the invocation.
const NOTIFY_TIMEOUT_MS = 10_000;

/**
 * Shows a notification with what the platform brings along.
 *
 * @throws {CommandError} `UNAVAILABLE`, with what to install where something is missing
 */
export async function notify(
  params: SystemNotifyParams,
  host: SystemHost,
  signal: AbortSignal,
): Promise<void> {
  if (params.delivery === "overlay") {
    throw unavailable("this node has no overlay; use the delivery system or auto");
  }
  const call = callFor(params, host.platform);
  const env = childEnv({ base: host.env, overrides: {}, platform: host.platform });
  const file = resolveExecutable(call.program, {
    pathEnv: pathOf(env),
    cwd: host.cwd,
    platform: host.platform,
    pathExt: env["PATHEXT"],
  });
  if (file === undefined) {
    throw unavailable(`${call.program} is not installed on the node; ${call.install}`);
  }
  await new Promise<void>((resolve, reject) => {
    const options = { env: { ...env, ...call.env }, timeout: NOTIFY_TIMEOUT_MS, signal };
    execFile(file, call.args, { ...options, windowsHide: true }, (error, _stdout, stderr) => {
      if (error === null) return resolve();
      if (signal.aborted) return reject(signal.reason);
      const reason = stderr.trim().split("\n", 1)[0] || error.message;
      reject(unavailable(`${call.program} could not show the notification: ${reason}`));
    });
  });
}

function callFor(params: SystemNotifyParams, platform: NodeJS.Platform): NotificationCall {
  if (platform === "darwin") return macNotification(params);
  if (platform === "win32") return windowsNotification(params);
  if (platform === "linux") return linuxNotification(params);
  throw unavailable(`notifications are not supported on ${platform}`);
}

function unavailable(message: string): CommandError {
  return new CommandError("UNAVAILABLE", message);
}
