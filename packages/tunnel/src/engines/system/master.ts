import { join } from "node:path";
import { type ControlConnection, connectToMaster } from "./mux/control-connection.ts";
import { quoteConfigPath, type SshOption } from "./arguments/ssh-options.ts";
import type { SshChild } from "./ssh-child.ts";

/** A new line of the log is the usual reason to look; this is for when there is none. */
const LOOK_AGAIN_MS = 50;

/** Where the control socket is to be; short, since a Unix socket's path is. */
export function controlPathIn(directory: string): string {
  return join(directory, "c");
}

/** Has ssh share its connection on a socket of ours, and nowhere else. */
export function masterOptions(controlPath: string): readonly SshOption[] {
  return [
    ["ControlMaster", "yes"],
    ["ControlPath", quoteConfigPath(controlPath)],
  ];
}

/**
 * Connects to the control socket as soon as it is there: ssh makes it when it is authenticated.
 * Rejects with what `gaveUp` rejects with.
 */
export function waitForMaster(
  child: SshChild,
  controlPath: string,
  gaveUp: Promise<never>,
): Promise<ControlConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<ControlConnection>();
  let isLooking = false;
  let isSettled = false;
  const look = async (): Promise<void> => {
    if (isLooking || isSettled) return;
    isLooking = true;
    try {
      const connection = await connectToMaster(controlPath);
      if (isSettled) connection?.destroy();
      else if (connection) settle(() => resolve(connection));
    } catch (error) {
      settle(() => reject(error));
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(look, LOOK_AGAIN_MS);
  child.onLine(() => void look());
  gaveUp.catch((error: unknown) => settle(() => reject(error)));
  return promise;

  function settle(how: () => void): void {
    if (isSettled) return;
    isSettled = true;
    clearInterval(timer);
    how();
  }
}
