import type { Duplex } from "node:stream";
import { expect, vi } from "vitest";

/** A writer that never has enough. */
export interface Filling {
  /** Bytes that were written so far. */
  written(): number;
  /** Resolves when nothing has moved for a while: every buffer on the way is full. */
  isStill(): Promise<void>;
}

/** Writes as much as a stream takes, for as long as it lives. */
export function fill(stream: Duplex): Filling {
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  const more = (): void => {
    let hasRoom = !stream.destroyed;
    while (hasRoom) {
      hasRoom = stream.write(chunk);
      written += chunk.length;
    }
  };
  stream.on("drain", more);
  stream.on("error", () => {});
  more();
  return {
    written: () => written,
    async isStill() {
      let before = -1;
      await vi.waitFor(
        () => {
          const isAtRest = written === before;
          before = written;
          expect(isAtRest).toBe(true);
        },
        { interval: 300, timeout: 20_000 },
      );
    },
  };
}
