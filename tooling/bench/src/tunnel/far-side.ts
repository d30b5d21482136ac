import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";

const CHUNK = Buffer.alloc(64 * 1024, 7);

/** What a tunnel leads to. */
export interface FarSide extends AsyncDisposable {
  /** Reads to the end and then answers how many bytes there were. */
  readonly sink: number;
  /** Sends as many bytes as the first eight bytes say. */
  readonly source: number;
  /** Sends back what it gets. */
  readonly echo: number;
}

/** Starts the servers of the far side on 127.0.0.1. */
export async function startFarSide(): Promise<FarSide> {
  const sink = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on("error", () => {});
    socket.on("data", (data) => void (bytes += data.length));
    socket.on("end", () => socket.end(String(bytes)));
  });
  const source = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.once("data", (request) => {
      let left = Number(request.readBigUInt64BE(0));
      const more = (): void => {
        while (left > 0) {
          const data = left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left);
          left -= data.length;
          if (!socket.write(data)) return;
        }
        socket.end();
      };
      socket.on("drain", more);
      more();
    });
  });
  const echo = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => void socket.write(data));
  });
  const servers = { sink, source, echo };
  return {
    sink: await listen(sink),
    source: await listen(source),
    echo: await listen(echo),
    async [Symbol.asyncDispose]() {
      await Promise.all(
        Object.values(servers).map(async (server) => {
          server.close();
          await once(server, "close");
        }),
      );
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
