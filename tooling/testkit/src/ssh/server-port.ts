import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const FIRST_PORT = 10_000;
/** Where the range of ephemeral ports begins, if Linux does not say. */
const FIRST_EPHEMERAL_PORT = 32_768;

/**
 * A port of 127.0.0.1 that was free a moment ago, for a server that is to come back on it.
 *
 * It is none that the system gives to outgoing connections: while the server is away, one of those
 * could take it, and a client that dials again and again would at last reach itself.
 */
export async function serverPort(): Promise<number> {
  const end = firstEphemeralPort();
  for (;;) {
    const port = randomInt(FIRST_PORT, end);
    // oxlint-disable-next-line no-await-in-loop
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function firstEphemeralPort(): number {
  try {
    const range = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const first = Number(range.trim().split(/\s+/u)[0]);
    return first > FIRST_PORT ? first : FIRST_EPHEMERAL_PORT;
  } catch {
    return FIRST_EPHEMERAL_PORT;
  }
}
