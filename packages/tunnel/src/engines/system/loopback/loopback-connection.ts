import { connect, type Socket } from "node:net";
import { TunnelError } from "../../../errors.ts";
import type { Destination, EngineInfo, SshConnection } from "../../engine.ts";
import type { ChildExit, SshChild } from "../ssh-child.ts";

const GOODBYE_MS = 400;
/** For ssh to say what became of a channel; its own patience with the far side is longer. */
const CHANNEL_TIMEOUT_MS = 30_000;

/** A port of the loopback interface, and where it leads. */
export interface LoopbackForward {
  readonly port: number;
  readonly host: string;
  readonly remotePort: number;
}

export interface LoopbackConnectionInput {
  readonly child: SshChild;
  readonly forwards: readonly LoopbackForward[];
  readonly info: EngineInfo;
  readonly place: string;
  readonly causeOf: (exit: ChildExit) => Promise<TunnelError>;
  readonly cleanUp: () => Promise<void>;
}

/**
 * A connection of which only the forwards can be used.
 *
 * ssh accepts a local connection before it asks the far side, so each `connect()` waits until its log
 * says what became of the channel; one at a time, since the log does not say whose channel it is. That
 * is right as long as no other program of this machine connects to the same port at the same moment.
 */
export function loopbackConnection(input: LoopbackConnectionInput): SshConnection {
  const { child, forwards, place } = input;
  const sockets = new Set<Socket>();
  let isClosing = false;
  let hasEnded = false;
  let closing: Promise<void> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let watcher: ((line: string) => void) | undefined;
  child.onLine((line) => watcher?.(line));

  const closed = child.ended.then(async (exit) => {
    hasEnded = true;
    const cause = isClosing ? undefined : await input.causeOf(exit);
    for (const socket of sockets) socket.destroy(cause ?? lost());
    await input.cleanUp();
    return cause;
  });

  function lost(): TunnelError {
    return new TunnelError("CONNECTION_LOST", `the connection to ${place} is gone.`);
  }

  async function dial(forward: LoopbackForward, signal: AbortSignal | undefined): Promise<Socket> {
    signal?.throwIfAborted();
    if (hasEnded) throw lost();
    const { promise: isOpened, resolve: opened, reject: failed } = Promise.withResolvers<void>();
    let channel: string | undefined;
    watcher = (line) => {
      channel ??= /^debug\d: channel (\d+): new \S*\s?\[?direct-tcpip/u.exec(line)?.[1];
      if (channel === undefined) return;
      if (line.includes(`channel ${channel}: open confirm`)) opened();
      const said = new RegExp(`channel ${channel}: open failed: (.+)$`, "u").exec(line)?.[1];
      if (said !== undefined) failed(refusedChannel(forward, said));
    };
    const timer = setTimeout(() => {
      failed(new TunnelError("TIMED_OUT", "ssh does not say what became of a channel."));
    }, CHANNEL_TIMEOUT_MS);
    const abort = (): void => failed(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const socket = connect({ host: "127.0.0.1", port: forward.port, allowHalfOpen: true });
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", (error) => failed(hasEnded ? lost() : error));
    void closed.then(() => failed(lost()));
    try {
      await isOpened;
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      watcher = undefined;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  return {
    info: input.info,
    async connect(destination, { signal } = {}) {
      const forward = forwards.find((one) => leadsTo(one, destination));
      if (forward === undefined) throw unsupported("connections that were not known beforehand");
      const dialling = last.then(() => dial(forward, signal));
      last = dialling.catch(() => {});
      return dialling;
    },
    async run() {
      throw unsupported("commands beside a tunnel");
    },
    async probe() {
      // ssh asks by itself, and ends when no answer comes; it cannot be told to.
      if (hasEnded) throw lost();
    },
    close() {
      closing ??= (async () => {
        isClosing = true;
        child.sendTerm();
        const timer = setTimeout(() => child.kill(), GOODBYE_MS);
        await closed;
        clearTimeout(timer);
      })();
      return closing;
    },
    terminate() {
      isClosing = true;
      child.kill();
    },
    closed,
  };
}

function leadsTo({ host, remotePort }: LoopbackForward, destination: Destination): boolean {
  return (
    !("socketPath" in destination) && destination.host === host && destination.port === remotePort
  );
}

function refusedChannel({ host, remotePort }: LoopbackForward, said: string): TunnelError {
  const place = `${host}:${remotePort}`;
  if (said.startsWith("connect failed")) {
    return new TunnelError("REMOTE_PORT_CLOSED", `nothing answers on ${place} there (${said}).`, {
      hint: `Check on the far side that something listens on ${place}.`,
    });
  }
  return new TunnelError(
    "FORWARD_REFUSED",
    `the SSH server refuses forwards to ${place} (${said}).`,
    {
      hint: "See AllowTcpForwarding and PermitOpen in its sshd_config, and permitopen in authorized_keys.",
    },
  );
}

function unsupported(what: string): TunnelError {
  return new TunnelError("UNSUPPORTED_SETTING", `the ssh of this system has no ${what}.`, {
    details: { settings: ["ControlMaster"] },
    hint: "Choose the engine `ssh2`.",
  });
}
