import { createMemoryLedger, type Ledger } from "@openclaw/ledger";
import { defineCommand, type NodeCommand } from "@openclaw/node-core";
import { onTestFinished, vi } from "vitest";
import { z } from "zod";
import {
  createInvocationHandler,
  type InvocationHandler,
} from "../src/invocation/invocation-handler.ts";
import { silentLogger } from "../src/logger.ts";
import { createFakePeer, NODE_ID, type FakePeer } from "./fake-peer.ts";

export const echo = defineCommand({
  name: "test.echo",
  params: z.strictObject({ text: z.string() }),
  run: ({ text }) => ({ text }),
});

/** A command that waits until the test lets it go on, and counts its runs. */
export function gated(): { command: NodeCommand; readonly runs: number; release(): void } {
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const command = defineCommand({
    name: "test.gated",
    params: z.object({}),
    async run(_, { signal }) {
      runs += 1;
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      await Promise.race([gate.promise, aborted]);
      return { run: runs };
    },
  });
  return {
    command,
    get runs() {
      return runs;
    },
    release: () => gate.resolve(),
  };
}

export interface Bench {
  peer: FakePeer;
  ledger: Ledger;
  handler: InvocationHandler;
}

export function setUp(
  commands: NodeCommand[],
  more: { ledger?: Ledger; peer?: FakePeer; maxRunning?: number } = {},
): Bench {
  const peer = more.peer ?? createFakePeer();
  const ledger = more.ledger ?? createMemoryLedger();
  const handler = createInvocationHandler({
    peer,
    nodeId: NODE_ID,
    commands,
    ledger,
    logger: silentLogger,
    maxRunning: more.maxRunning ?? 100,
    now: Date.now,
  });
  onTestFinished(() => handler.close());
  return { peer, ledger, handler };
}

export function useFakeClock(): void {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
}
