import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { randomBytes } from "node:crypto";
import { withDeadline } from "@openclaw/testkit";

/** What happened to the connections so far. */
export interface TrafficTally {
  /** Messages that came back whole. */
  echoed: number;
  /** Connections that were cut off. */
  interrupted: number;
  /** Connections that neither moved nor ended in time. */
  hung: number;
  /** Messages that came back as something else. */
  corrupted: number;
}

/** Connections that send and check what comes back, and are opened anew when they are cut off. */
export interface Traffic {
  readonly tally: Readonly<TrafficTally>;
  stop(): Promise<void>;
}

const MAX_MESSAGE_BYTES = 64 * 1024;

/** Starts so many connections to an echo server behind `port`. */
export function startTraffic(port: number, connections: number, patienceMs: number): Traffic {
  const tally: TrafficTally = { echoed: 0, interrupted: 0, hung: 0, corrupted: 0 };
  let isStopped = false;
  const sockets = new Set<Socket>();

  async function worker(): Promise<void> {
    while (!isStopped) {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true });
      sockets.add(socket);
      socket.on("error", () => {});
      const closed = new Promise<"closed">((resolve) => {
        socket.once("close", () => resolve("closed"));
      });
      // oxlint-disable-next-line no-await-in-loop
      await talk(socket, closed);
      sockets.delete(socket);
      socket.destroy();
    }
  }

  async function talk(socket: Socket, closed: Promise<"closed">): Promise<void> {
    while (!isStopped) {
      const message = randomBytes(1 + Math.floor(Math.random() * MAX_MESSAGE_BYTES));
      const answer = echoed(socket, message);
      answer.catch(() => {});
      try {
        // oxlint-disable-next-line no-await-in-loop
        const outcome = await withDeadline(
          Promise.race([answer, closed]),
          patienceMs,
          () => "no echo",
        );
        if (outcome === "closed") {
          if (!isStopped) tally.interrupted += 1;
          return;
        }
        if (outcome) tally.echoed += 1;
        else tally.corrupted += 1;
      } catch {
        tally.hung += 1;
        return;
      }
    }
  }

  const workers = Array.from({ length: connections }, worker);
  return {
    tally,
    async stop() {
      isStopped = true;
      for (const socket of sockets) socket.destroy();
      await Promise.all(workers);
    },
  };
}

/** Whether a message comes back as it was. */
async function echoed(socket: Socket, message: Buffer): Promise<boolean> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < message.length) return;
    socket.off("data", onData);
    resolve(Buffer.concat(chunks).equals(message));
  };
  socket.on("data", onData);
  socket.write(message);
  return promise;
}

/** How long until one byte came back through a new connection; tries until then. */
export async function timeToEcho(port: number, patienceMs: number): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < patienceMs) {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    socket.on("error", () => {});
    try {
      socket.write("x");
      // oxlint-disable-next-line no-await-in-loop
      const outcome = await Promise.race([
        once(socket, "data").then(() => "echoed"),
        new Promise((resolve) => socket.once("close", () => resolve("closed"))),
      ]);
      if (outcome === "echoed") return performance.now() - startedAt;
    } catch {
      // Reset: the next one.
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`nothing came back through the tunnel in ${patienceMs} ms`);
}
