import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { TunnelError } from "../../../errors.ts";
import type { Destination, SshConnection } from "../../engine.ts";
import type { RecordedChild } from "../child-records.ts";
import { placeOf } from "../failures/explain-failure.ts";
import { failureOfSsh } from "../failures/failure-of-ssh.ts";
import { loopbackConnection, type LoopbackForward } from "./loopback-connection.ts";
import { tellNewKeys } from "../new-host-keys.ts";
import { planRoute, unshared } from "../arguments/route.ts";
import type { SshChild } from "../ssh-child.ts";
import type { SshOption } from "../arguments/ssh-options.ts";
import { infoOf, recordIfAsked, startOnRoute, type StartSetting } from "../start-on-route.ts";

/** A port that was free a moment ago may be taken when ssh wants it. */
const PORT_ATTEMPTS = 3;

/**
 * For an ssh that cannot share a connection, as that of Windows: each destination that is known
 * beforehand gets a port of the loopback interface, which every program of this machine can reach.
 *
 * @throws {@link TunnelError} `UNSUPPORTED_SETTING` for anything but hosts and ports known beforehand
 */
export async function connectOnLoopback(
  setting: StartSetting,
  pinning: readonly SshOption[],
): Promise<SshConnection> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // The next one only where the one before failed.
      // oxlint-disable-next-line no-await-in-loop
      return await connectOnce(setting, pinning);
    } catch (error) {
      const isBusy = error instanceof TunnelError && error.code === "LOCAL_PORT_BUSY";
      if (!isBusy || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function connectOnce(
  setting: StartSetting,
  pinning: readonly SshOption[],
): Promise<SshConnection> {
  const { options, directory, attempt, plan } = setting;
  const forwards = await forwardsTo(options.destinations);
  const more: readonly SshOption[] = [
    // That a channel was opened, or why not, is told from here on only.
    ["LogLevel", "DEBUG2"],
    // It would drop these forwards with those of the config, of which there must be none.
    ["ClearAllForwardings", "no"],
    ["GatewayPorts", "no"],
    ...forwards.map(({ port, host, remotePort }): SshOption => {
      return ["LocalForward", `127.0.0.1:${port} ${remoteOf(host, remotePort)}`];
    }),
    ...unshared,
    ...pinning,
  ];
  const localForwards = forwards.map(
    ({ port, host, remotePort }) => `[127.0.0.1]:${port} [${host}]:${remotePort}`,
  );
  const route = await planRoute({
    ...plan,
    more,
    sharing: { controlPath: undefined, localForwards },
  });
  const pinned = options.hostKeyFingerprint;
  let isOpen = false;
  let isGivenUp = false;
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  // A busy port is no reason to give the whole attempt up.
  const child = await startOnRoute(setting, { options, route, pinned }, () => false);
  void child.ended.then(async (exit) => {
    if (!isOpen && !isGivenUp)
      failed.reject(await failureOfSsh({ options, route, child, pinned }, exit));
  });
  let record: RecordedChild | undefined;
  try {
    record = await recordIfAsked(
      setting,
      child,
      forwards.map(({ port }) => port),
    );
    await Promise.race([isReady(child), attempt.failed, failed.promise]);
    isOpen = true;
    await tellNewKeys({ options, route, log: child.log });
    return loopbackConnection({
      child,
      forwards,
      info: infoOf(setting, child, route.known.name.display),
      place: placeOf(options.settings),
      causeOf: (exit) => failureOfSsh({ options, route, child, pinned }, exit),
      async cleanUp() {
        await Promise.all([record?.forget(), directory.remove()]);
      },
    });
  } catch (error) {
    isGivenUp = true;
    child.kill();
    await child.ended;
    await record?.forget();
    throw error;
  }
}

/** ssh listens before it says this. */
function isReady(child: SshChild): Promise<void> {
  return new Promise((resolve) => {
    child.onLine(() => {
      if (child.log.facts.stage === "keepalive") resolve();
    });
  });
}

async function forwardsTo(
  destinations: readonly Destination[],
): Promise<readonly LoopbackForward[]> {
  return Promise.all(
    destinations.map(async (destination) => {
      if ("socketPath" in destination) {
        throw new TunnelError(
          "UNSUPPORTED_SETTING",
          "the ssh of this system cannot forward to Unix sockets from here.",
          { details: { settings: [destination.socketPath] }, hint: "Choose the engine `ssh2`." },
        );
      }
      const { host, port: remotePort } = destination;
      return { host, remotePort, port: await freeLoopbackPort() };
    }),
  );
}

function remoteOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function freeLoopbackPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      // Listening on a port, so the address is one of IP.
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
