import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Way } from "@openclaw/app-kit";

/** What leads to the port of the Gateway: the network, or an SSH connection. */
export interface Carrier {
  /** As the URL has it, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** `ssh` ends on another machine, so nothing of this one can be found out about the port. */
  readonly kind: "network" | "ssh";
  /**
   * A new stream to the port. A destroyed stream ends the attempt.
   *
   * @throws what the network or the tunnel reports; an Error with the code `ETIMEDOUT` when the time is over
   */
  open(options: OpenOptions): Promise<Duplex>;
}

export interface OpenOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export function networkCarrier(host: string, port: number): Carrier {
  return {
    host,
    port,
    kind: "network",
    open: (options) =>
      within(options, (signal) => {
        const socket = connect({ host, port, noDelay: true });
        const abandon = (): void => void socket.destroy();
        signal.addEventListener("abort", abandon, { once: true });
        return new Promise<Socket>((resolve, reject) => {
          socket.once("error", reject);
          socket.once("connect", () => {
            signal.removeEventListener("abort", abandon);
            socket.off("error", reject);
            // Whoever uses it listens too; what comes in between must not end the program.
            socket.on("error", () => {});
            resolve(socket);
          });
        });
      }),
  };
}

export function sshCarrier(way: Way, host: string, port: number): Carrier {
  return {
    host,
    port,
    kind: "ssh",
    open: (options) =>
      within(options, async (signal) => {
        const stream = await way.tunnel.connect({ port }, { signal });
        stream.on("error", () => {});
        return stream;
      }),
  };
}

/** Gives work up when its time is over, and destroys what comes of it all the same. */
async function within<T extends Duplex>(
  { timeoutMs, signal }: OpenOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const giveUp = (reason: unknown): void => {
    late.reject(reason);
    controller.abort(reason);
  };
  const timer = setTimeout(() => giveUp(timedOut(timeoutMs)), timeoutMs);
  const abort = (): void => giveUp(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const opening = work(controller.signal);
  opening.then(
    (stream) => {
      if (controller.signal.aborted) stream.destroy();
    },
    () => {},
  );
  try {
    return await Promise.race([opening, late.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function timedOut(timeoutMs: number): Error {
  return Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: "ETIMEDOUT" });
}

/** The errno of a failure, as far as it has one. */
export function errnoOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}
