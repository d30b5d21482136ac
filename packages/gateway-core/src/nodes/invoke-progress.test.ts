import { expect, test, vi } from "vitest";
import type { Connection } from "../connections/connection.ts";
import type { Invocation } from "./invocation.ts";
import { takeProgress } from "./invoke-progress.ts";

interface Listener {
  isSlow: boolean;
  skippedEvents: number;
  seqs: number[];
}

function listen(...listeners: Listener[]): Invocation {
  const waiters = listeners.map((listener) => ({
    connection: Object.assign(listener, {
      direct: (text: string) => void listener.seqs.push(JSON.parse(text).payload.seq),
      // All that this file uses of a connection.
    }) as unknown as Connection,
    timer: undefined,
    settle: vi.fn(),
  }));
  return {
    key: "k",
    id: "i",
    fingerprint: "f",
    nodeId: "n",
    command: "c",
    createdAtMs: 0,
    stage: "running",
    carrier: undefined,
    waiters: new Set(waiters),
    deadlineTimer: undefined,
    nextProgress: 0,
    heldProgress: undefined,
    nextInput: 0,
  };
}

const listener = (): Listener => ({ isSlow: false, skippedEvents: 0, seqs: [] });

test("chunks that come before their turn wait for it, and one that never comes is given up", () => {
  const operator = listener();
  const invocation = listen(operator);
  for (const seq of [1, 2, 0]) takeProgress(invocation, seq, "x");
  expect(operator.seqs).toEqual([0, 1, 2]);
  for (let seq = 4; seq <= 68; seq += 1) takeProgress(invocation, seq, "x");
  expect(operator.seqs).toHaveLength(3 + 65);
  expect(operator.seqs.at(-1)).toBe(68);
  expect(invocation.heldProgress).toBeUndefined();
});

test("pain 22: who reads too slowly misses live output, and nobody else does", () => {
  const slow = listener();
  const quick = listener();
  const invocation = listen(slow, quick);
  takeProgress(invocation, 0, "x");
  slow.isSlow = true;
  takeProgress(invocation, 1, "x");
  slow.isSlow = false;
  takeProgress(invocation, 2, "x");
  expect(slow.seqs).toEqual([0, 2]);
  expect(slow.skippedEvents).toBe(1);
  expect(quick.seqs).toEqual([0, 1, 2]);
});
