import { randomUUID } from "node:crypto";
import {
  type ConnectOptions,
  type RawPeer,
  createFakeNode,
  createRawPeer,
  type FakeNode,
  type FakeNodeOptions,
} from "@openclaw/testkit";
import {
  type Gateway,
  type GatewayAddress,
  type GatewayOptions,
  createGateway,
} from "../src/index.ts";

export const TOKEN = "test-token-of-a-decent-length";

export interface TestGateway extends AsyncDisposable {
  gateway: Gateway;
  address: GatewayAddress;
  url: string;
  /** Every frame that the Gateway sent. */
  sent: string[];
  peer(): Promise<RawPeer>;
  /** A connected operator with the given scopes, by default all of them. */
  operator(options?: ConnectOptions): Promise<RawPeer>;
  /** A node of this machine: paired and approved without asking. */
  node(options?: FakeNodeOptions): Promise<FakeNode>;
}

/** A Gateway on a free port whose peers all end with it. */
export async function startTestGateway(
  options: Partial<GatewayOptions> = {},
): Promise<TestGateway> {
  const sent: string[] = [];
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    hooks: { frameSent: (text) => sent.push(text) },
    drainTimeoutMs: 200,
    ...options,
  });
  const address = await gateway.listen({ port: 0 });
  const owned: AsyncDisposable[] = [];
  const own = <T extends AsyncDisposable>(thing: T): T => {
    owned.push(thing);
    return thing;
  };
  return {
    gateway,
    address,
    url: address.url,
    sent,
    peer: async () => own(await createRawPeer(address.url)),
    async operator(connect = {}) {
      const peer = own(await createRawPeer(address.url));
      await peer.handshake({ token: TOKEN, identity: false, ...connect });
      return peer;
    },
    node: async (node = {}) =>
      own(await createFakeNode(address.url, { token: TOKEN, commands: ["system.run"], ...node })),
    async [Symbol.asyncDispose]() {
      for (const thing of owned) await thing[Symbol.asyncDispose]();
      await gateway.close();
    },
  };
}

/** Params of `node.invoke` with a key of their own. */
export function invokeParams(
  nodeId: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { nodeId, command: "system.run", params: { n: 1 }, idempotencyKey: randomUUID(), ...more };
}
