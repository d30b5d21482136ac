import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
  type TestIdentity,
  createFakeNode,
  createRawPeer,
  createTestIdentity,
} from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { TOKEN, invokeParams, startTestGateway } from "./fixture.ts";

const CYCLES = 2_000;
const AT_ONCE = 20;

/** Timers and sockets of this process, which are the Gateway's and those of its peers. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = { Timeout: 0, TCPSocketWrap: 0 };
  for (const kind of process.getActiveResourcesInfo())
    if (kind in counts) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

test("pain 14: 2,000 peers that come, fail, are invoked, vanish and come again leave nothing behind", async () => {
  await using t = await startTestGateway();
  const operator = await t.operator();
  const nodes = Array.from({ length: AT_ONCE }, () => createTestIdentity());
  const before = resources();

  const kinds = [
    async () => {
      await using peer = await createRawPeer(t.url);
      await peer.handshake({ token: TOKEN, identity: false });
      await peer.call("health");
    },
    async () => {
      await using peer = await createRawPeer(t.url);
      await peer.connect({ token: "not the secret", identity: false, clientId: "test" });
    },
    async () => {
      const peer = await createRawPeer(t.url);
      peer.terminate();
      await peer.closed;
    },
    async (identity: TestIdentity) => {
      // Invoked, and gone before it has answered.
      const asked = Promise.withResolvers<void>();
      const answer = (): undefined => {
        asked.resolve();
      };
      const node = await createFakeNode(t.url, {
        token: TOKEN,
        identity,
        commands: ["system.run"],
        answer,
      });
      const invoked = operator.request("node.invoke", invokeParams(node.nodeId));
      await asked.promise;
      node.peer.terminate();
      expect((await invoked).error?.details).toMatchObject({ code: "DISCONNECTED" });
    },
  ];
  const worker = async (identity: TestIdentity, first: number): Promise<void> => {
    for (let n = first; n < CYCLES; n += AT_ONCE)
      await kinds[Math.floor(n / AT_ONCE) % kinds.length]?.(identity);
  };
  await Promise.all(nodes.map(worker));

  const status = await vi.waitFor(async () => {
    const now = await operator.call("status");
    expect(now).toMatchObject({ connections: 1, invocations: { running: 0, ledger: { open: 0 } } });
    return now;
  });
  expect(status).toMatchObject({
    nodes: { known: AT_ONCE, connected: 0, pending: 0 },
    devices: { paired: AT_ONCE, pending: 0 },
  });
  // Turn by turn of the loop: a wait with a timer would count its own.
  const deadline = performance.now() + 10_000;
  while (!isDeepStrictEqual(resources(), before) && performance.now() < deadline) {
    // oxlint-disable-next-line no-await-in-loop
    await setImmediate();
  }
  expect(resources()).toEqual(before);
  // The places of those that have not authenticated yet are free again, all 32 of them.
  const silent = await Promise.all(Array.from({ length: 32 }, () => t.peer()));
  await Promise.all(silent.map((peer) => peer.challenge()));
}, 60_000);
