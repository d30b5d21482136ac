import { chmod, lstat, stat, unlink } from "node:fs/promises";
import { connect, type AddressInfo, type ListenOptions, type Server } from "node:net";
import { dirname } from "node:path";
import { isMainThread } from "node:worker_threads";
import { type PortHolder, TunnelError } from "../errors.ts";
import { describeHolder } from "./describe-holder.ts";
import {
  type ForwardEndpoint,
  formatForward,
  LOOPBACK_HOST,
  type ResolvedForward,
} from "./parse-forward.ts";

/** A live listener answers on its socket at once; one that does not is left alone. */
const PROBE_TIMEOUT_MS = 1_000;

export interface BindOptions {
  /** A busy port is replaced by any free one. */
  readonly fallbackPort: boolean;
  readonly findHolder: (port: number, host: string) => Promise<PortHolder | undefined>;
}

export interface BoundLocal {
  readonly local: ForwardEndpoint;
  /** The port that was asked for, where a free one replaced it. */
  readonly insteadOf: number | undefined;
}

/**
 * Lets `server` listen where the forward says, and nowhere else.
 *
 * @throws {@link TunnelError} `LOCAL_PORT_BUSY`, `INVALID_OPTION`
 */
export async function bindLocal(
  server: Server,
  forward: ResolvedForward,
  options: BindOptions,
): Promise<BoundLocal> {
  const { local } = forward;
  if ("path" in local) {
    await bindPath(server, local.path);
    return { local, insteadOf: undefined };
  }
  try {
    return { local: await bindPort(server, local), insteadOf: undefined };
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE") throw cannotListen(`${local.host}:${local.port}`, error);
  }
  if (!options.fallbackPort) {
    throw busyPort(forward, local, await options.findHolder(local.port, local.host));
  }
  try {
    const free = await bindPort(server, { host: local.host, port: 0 });
    return { local: free, insteadOf: local.port };
  } catch (error) {
    throw cannotListen(`${local.host}, any port`, error);
  }
}

async function bindPort(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<ForwardEndpoint> {
  // Without a host, Node takes both families where the system has both.
  await listen(server, host === "*" ? { port } : { host, port });
  const bound = server.address() as AddressInfo;
  return { host: host === "*" ? bound.address : host, port: bound.port };
}

async function bindPath(server: Server, path: string): Promise<void> {
  // Where it is missing, libuv says that it may not be entered.
  await stat(dirname(path)).catch((error: unknown) => {
    throw cannotListen(path, error);
  });
  try {
    await listenOnPath(server, path);
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE") throw cannotListen(path, error);
    await removeStaleSocket(path);
    await listenOnPath(server, path).catch((second: unknown) => {
      throw codeOf(second) === "EADDRINUSE" ? busyPath(path) : cannotListen(path, second);
    });
  }
  await chmod(path, 0o600).catch((error: unknown) => {
    server.close();
    throw cannotListen(path, error);
  });
}

function listenOnPath(server: Server, path: string): Promise<void> {
  // The socket has its mode from the first moment: it is made within this call. A worker may not
  // change the mask of the process; there the mode follows a moment later.
  const mask = isMainThread ? process.umask(0o177) : undefined;
  try {
    return listen(server, { path });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const listening = (): void => {
      server.off("error", failed);
      resolve();
    };
    const failed = (error: Error): void => {
      server.off("listening", listening);
      reject(error);
    };
    server.once("listening", listening);
    server.once("error", failed);
    server.listen({ ...options, exclusive: true });
  });
}

/** Removes the socket file of a listener that died; refuses anything else. */
async function removeStaleSocket(path: string): Promise<void> {
  const before = await lstat(path).catch(() => undefined);
  if (before === undefined) return;
  if (!before.isSocket()) throw busyPath(path, "something that is no socket is in the way");
  if (!(await isDead(path))) throw busyPath(path, "another program listens on it");
  const after = await lstat(path).catch(() => undefined);
  // Somebody else has replaced it meanwhile.
  if (after && (after.ino !== before.ino || after.ctimeMs !== before.ctimeMs)) throw busyPath(path);
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== "ENOENT") throw cannotListen(path, error);
  });
}

/** Only a refusal proves that nobody listens; no answer and no permission do not. */
function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.setTimeout(PROBE_TIMEOUT_MS, () => probe.destroy());
    // Politely: a program that meets a reset may not survive it.
    probe.on("connect", () => probe.resume().end());
    probe.on("error", (error) => resolve(codeOf(error) === "ECONNREFUSED"));
    probe.on("close", () => resolve(false));
  });
}

function busyPort(
  { remote }: ResolvedForward,
  { host, port }: { host: string; port: number },
  holder: PortHolder | undefined,
): TunnelError {
  const other = formatForward({
    ...(host === LOOPBACK_HOST ? {} : { localHost: host }),
    localPort: port < 65_535 ? port + 1 : port - 1,
    ...("path" in remote
      ? { remotePath: remote.path }
      : { remoteHost: remote.host, remotePort: remote.port }),
  });
  const who = holder === undefined ? "taken" : describeHolder(holder);
  return new TunnelError("LOCAL_PORT_BUSY", `the local port ${port} on ${host} is ${who}.`, {
    hint: `${cureFor(holder)}another local port, for example -L ${other}.`,
    ...(holder === undefined ? {} : { details: { holder } }),
  });
}

function cureFor(holder: PortHolder | undefined): string {
  switch (holder?.kind) {
    case "own-tunnel":
      return "Use the tunnel that is there, or ";
    case "own-orphan":
      return "Open the tunnel with the same state directory again, which ends what is left, or choose ";
    case "gateway":
      return "A Gateway runs on this machine: stop it, or choose ";
    case "ssh":
      return "An ssh of yours may already forward it: use that, end it, or choose ";
    default:
      return "Choose ";
  }
}

function busyPath(path: string, why = "another program listens on it"): TunnelError {
  return new TunnelError("LOCAL_PORT_BUSY", `the local socket ${path} cannot be used: ${why}.`, {
    hint: "Choose another path, or remove what is there if it is yours.",
  });
}

function cannotListen(place: string, error: unknown): TunnelError {
  const code = codeOf(error);
  const { fault, hint } = LISTEN_FAULTS[code] ?? { fault: code };
  return new TunnelError("INVALID_OPTION", `cannot listen on ${place}: ${fault}.`, {
    cause: error,
    hint,
  });
}

const LISTEN_FAULTS: Readonly<Record<string, { fault: string; hint?: string }>> = {
  EACCES: {
    fault: "this user may not",
    hint: "Choose a port from 1024 up, or a directory that you may write to.",
  },
  EADDRNOTAVAIL: {
    fault: "this machine has no such address",
    hint: "Leave the bind address out to listen on 127.0.0.1.",
  },
  ENOTFOUND: { fault: "no such name", hint: "Leave the bind address out to listen on 127.0.0.1." },
  ENOENT: { fault: "its directory does not exist", hint: "Make the directory first." },
  ENOTDIR: { fault: "its directory is none" },
};

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
