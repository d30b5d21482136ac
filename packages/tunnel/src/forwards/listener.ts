import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Destination } from "../engines/engine.ts";
import { type PortHolder, TunnelError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { bindLocal } from "./bind-local.ts";
import { cutOff } from "./cut-off.ts";
import { createFailureLog } from "./failure-log.ts";
import { holdClient } from "./held-client.ts";
import { LOOPBACK_HOST, type ForwardEndpoint, type ResolvedForward } from "./parse-forward.ts";
import { findPortHolder } from "./port-holder.ts";
import { type Splice, splice } from "./splice.ts";

export interface ForwardListenerOptions {
  /** A stream to the far side; waits while the tunnel is away. */
  readonly connect: (destination: Destination, options: { signal: AbortSignal }) => Promise<Duplex>;
  /** How long a connection waits for `connect`, at most. @default as long as `connect` takes */
  readonly waitTimeoutMs?: number | undefined;
  /** As `splice` has it. */
  readonly maxBufferedBytes?: number | undefined;
  /** A busy local port is replaced by any free one; {@link ForwardListener.insteadOf} says so. */
  readonly fallbackPort: boolean;
  readonly logger: Logger;
  /** @default {@link findPortHolder} */
  readonly findHolder?:
    | ((port: number, host: string) => Promise<PortHolder | undefined>)
    | undefined;
}

/** A forward that listens, from the start until `close()`, on one port. */
export interface ForwardListener extends AsyncDisposable {
  readonly local: ForwardEndpoint;
  readonly remote: ForwardEndpoint;
  /** The port that was asked for, where a free one replaced it. */
  readonly insteadOf: number | undefined;
  /** Connections that are joined to the far side now. */
  readonly connections: number;
  /** Connections that wait for the far side now. */
  readonly waiting: number;
  /** Connections that were accepted so far. */
  readonly accepted: number;
  /** Connections that were reset since there was no way to the far side. */
  readonly failures: number;
  /** Bytes from the far side, so far. */
  readonly bytesIn: number;
  /** Bytes to the far side, so far. */
  readonly bytesOut: number;
  /** Resets every connection that is joined to the far side; those that wait go on waiting. */
  closeConnections(): void;
  /** Frees the port at once, and resets every connection. Further calls return the first promise. */
  close(): Promise<void>;
}

/**
 * Listens for a forward. A connection that finds no way to the far side is reset, never closed as
 * if there had been an answer.
 *
 * @throws {@link TunnelError} `LOCAL_PORT_BUSY`, `INVALID_OPTION`
 */
export async function openForwardListener(
  forward: ResolvedForward,
  options: ForwardListenerOptions,
): Promise<ForwardListener> {
  const { remote } = forward;
  const { logger, maxBufferedBytes, waitTimeoutMs } = options;
  const destination: Destination = "path" in remote ? { socketPath: remote.path } : remote;
  const joined = new Set<Splice>();
  const givingUp = new Set<(reason: unknown) => void>();
  const report = createFailureLog(logger);
  const finished = { bytesIn: 0, bytesOut: 0 };
  let place = forward.local;
  let accepted = 0;
  let failures = 0;
  let closing: Promise<void> | undefined;

  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    // On loopback the kernel knows without asking when the other side is gone.
    keepAlive: "host" in forward.local && forward.local.host !== LOOPBACK_HOST,
  });
  // Before it listens: the first client may come while the rest is being set up.
  server.on("connection", (socket) => void serve(socket));
  server.on("error", (error) => {
    // Most likely too many open files. It still listens; the next connection may find room.
    if (server.listening) {
      report(error, "a local connection could not be accepted", { local: place });
    }
  });
  const { local, insteadOf } = await bindLocal(server, forward, {
    fallbackPort: options.fallbackPort,
    findHolder: options.findHolder ?? ((port, host) => findPortHolder(port, { host })),
  });
  place = local;
  if (insteadOf !== undefined) {
    logger.warn({ local, insteadOf }, "the local port is busy; the forward listens on another");
  }

  async function serve(socket: Socket): Promise<void> {
    accepted += 1;
    // "close" follows, and somebody listens to that at every stage.
    socket.on("error", ignore);
    const ending = new AbortController();
    const client = holdClient(socket, () => giveUp(new Error("the local client has left")));
    const timer =
      waitTimeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            giveUp(waitExpired(waitTimeoutMs));
            fail(ending.signal.reason);
          }, waitTimeoutMs);
    givingUp.add(giveUp);

    function giveUp(reason: unknown): void {
      settle();
      ending.abort(reason);
      cutOff(socket);
    }

    function settle(): Buffer[] {
      givingUp.delete(giveUp);
      clearTimeout(timer);
      return client.release();
    }

    try {
      const stream = await options.connect(destination, { signal: ending.signal });
      if (ending.signal.aborted) drop(stream);
      else join(socket, stream, settle());
    } catch (error) {
      if (ending.signal.aborted) return;
      giveUp(error);
      fail(error);
    }
  }

  function join(socket: Socket, stream: Duplex, head: readonly Buffer[]): void {
    const one = splice(socket, stream, { maxBufferedBytes, head });
    joined.add(one);
    void one.closed.then(() => {
      joined.delete(one);
      finished.bytesIn += one.bytesIn;
      finished.bytesOut += one.bytesOut;
    });
  }

  function fail(error: unknown): void {
    failures += 1;
    report(error, "a local connection was reset: there is no way to the far side", {
      local: place,
    });
  }

  function close(): Promise<void> {
    closing ??= new Promise<void>((resolve) => {
      server.close(() => resolve());
      const reason = new TunnelError("CLOSED", "the forward was closed.");
      for (const giveUp of givingUp) giveUp(reason);
      closeConnections();
    });
    return closing;
  }

  function closeConnections(): void {
    for (const one of joined) one.reset();
  }

  function total(which: "bytesIn" | "bytesOut"): number {
    let bytes = finished[which];
    for (const one of joined) bytes += one[which];
    return bytes;
  }

  return {
    local,
    remote,
    insteadOf,
    get connections() {
      return joined.size;
    },
    get waiting() {
      return givingUp.size;
    },
    get accepted() {
      return accepted;
    },
    get failures() {
      return failures;
    },
    get bytesIn() {
      return total("bytesIn");
    },
    get bytesOut() {
      return total("bytesOut");
    },
    closeConnections,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** It came too late. */
function drop(stream: Duplex): void {
  stream.on("error", ignore);
  stream.destroy();
  stream.resume();
}

function waitExpired(afterMs: number): TunnelError {
  return new TunnelError("WAIT_EXPIRED", `the tunnel did not come back within ${afterMs} ms.`);
}

function ignore(): void {}
