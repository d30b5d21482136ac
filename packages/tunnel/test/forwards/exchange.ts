import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";

const pool = randomBytes(2_000_003);

export interface Exchanged {
  readonly sent: string;
  readonly received: string;
}

export interface ExchangeOptions {
  readonly bytes: number;
  readonly seed: number;
  /** Waits for the other side's end with its own. @default false */
  readonly endsLast?: boolean;
}

/** Sends bytes in pieces of any size while it reads to the end; both as checksums. */
export async function exchange(
  socket: Socket,
  { bytes, seed, endsLast = false }: ExchangeOptions,
): Promise<Exchanged> {
  const ours = createHash("sha256");
  const theirs = createHash("sha256");
  socket.on("data", (chunk: Buffer) => theirs.update(chunk));
  const ended = once(socket, "end");
  const random = generator(seed);
  for (let left = bytes; left > 0;) {
    // Mostly small ones, now and then one that is larger than any buffer on the way.
    const size = Math.min(left, 1 + Math.floor(200_000 ** random() * 5));
    const start = Math.floor(random() * (pool.length - size));
    const piece = pool.subarray(start, start + size);
    ours.update(piece);
    left -= size;
    // oxlint-disable-next-line no-await-in-loop
    if (!socket.write(piece)) await once(socket, "drain");
  }
  if (endsLast) await ended;
  socket.end();
  await ended;
  return { sent: ours.digest("hex"), received: theirs.digest("hex") };
}

/** Mulberry32: the same pieces in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
