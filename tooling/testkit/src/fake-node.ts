import type { ConnectOptions } from "./connect-params.ts";
import { createRawPeer } from "./raw-peer.ts";
import type { PeerFrame, RawPeer, RawPeerOptions } from "./raw-peer.ts";
import { createTestIdentity } from "./test-identity.ts";
import type { TestIdentity } from "./test-identity.ts";

/** The payload of `node.invoke.request`, with `params` parsed. */
export interface FakeInvoke {
  id: string;
  nodeId: string;
  command: string;
  params: unknown;
  timeoutMs?: number;
  idempotencyKey?: string;
}

/** What a node says to an invoke, as the members of `node.invoke.result`. */
export type FakeAnswer =
  | { ok: true; payload?: unknown; payloadJSON?: string | null }
  | { ok: false; error: { code?: string; message?: string } };

/** Options of {@link createFakeNode}. */
export interface FakeNodeOptions extends Omit<ConnectOptions, "identity" | "role"> {
  identity?: TestIdentity;
  /** Answers an invoke; `undefined` leaves it unanswered. @default `{ ok: true, payloadJSON: "{}" }` */
  answer?: (invoke: FakeInvoke) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>;
  peer?: RawPeerOptions;
}

/** A node that remembers nothing: the same key runs as often as it arrives. */
export interface FakeNode extends AsyncDisposable {
  readonly nodeId: string;
  readonly identity: TestIdentity;
  readonly peer: RawPeer;
  readonly hello: Record<string, unknown>;
  /** Every invoke that arrived, in order. */
  readonly invokes: readonly FakeInvoke[];
  /** Invoke ids the Gateway cancelled. */
  readonly cancelled: readonly string[];
  /** Sends a result by hand and takes the Gateway's answer to it. */
  result(id: string, answer: FakeAnswer, nodeId?: string): Promise<PeerFrame>;
}

/**
 * Connects a node that behaves like a published one without a ledger.
 *
 * @throws {PeerResponseError} when the Gateway refuses the handshake, e.g. while pairing is pending.
 */
export async function createFakeNode(
  url: string,
  options: FakeNodeOptions = {},
): Promise<FakeNode> {
  const { identity = createTestIdentity(), answer = defaultAnswer, peer: peerOptions } = options;
  const peer = await createRawPeer(url, peerOptions);
  const invokes: FakeInvoke[] = [];
  const cancelled: string[] = [];
  const hello = await peer
    .handshake({ caps: ["system"], commands: [], ...options, role: "node", identity })
    .catch(async (error: unknown) => {
      await peer[Symbol.asyncDispose]();
      throw error;
    });

  const node: FakeNode = {
    nodeId: identity.deviceId,
    identity,
    peer,
    hello,
    invokes,
    cancelled,
    result: (id, outcome, nodeId = identity.deviceId) =>
      peer.request("node.invoke.result", { id, nodeId, ...toWire(outcome) }),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };

  void serve();
  return node;

  async function serve(): Promise<void> {
    for (;;) {
      let frame: PeerFrame;
      try {
        // No deadline: a node may wait for ever, and the end of the socket ends the loop.
        frame = await peer.next(isForNode, { deadlineMs: 2 ** 31 - 1 });
      } catch {
        return;
      }
      if (frame.event === "node.invoke.cancel") {
        cancelled.push(String(frame.payload?.["invokeId"]));
        continue;
      }
      void respond(toInvoke(frame));
    }
  }

  async function respond(invoke: FakeInvoke): Promise<void> {
    invokes.push(invoke);
    const outcome = await answer(invoke);
    if (!outcome) return;
    // Fails only when the socket went away, which the test sees for itself.
    await node.result(invoke.id, outcome).catch(() => undefined);
  }
}

function defaultAnswer(): FakeAnswer {
  return { ok: true, payloadJSON: "{}" };
}

function isForNode(frame: PeerFrame): boolean {
  return (
    frame.type === "event" &&
    (frame.event === "node.invoke.request" || frame.event === "node.invoke.cancel")
  );
}

function toInvoke(frame: PeerFrame): FakeInvoke {
  const { paramsJSON, ...rest } = frame.payload ?? {};
  const params: unknown = typeof paramsJSON === "string" ? JSON.parse(paramsJSON) : undefined;
  // The members are the Gateway's; a test that doubts them looks at `peer.received`.
  return { ...rest, params } as FakeInvoke;
}

function toWire(answer: FakeAnswer): Record<string, unknown> {
  return { ...answer };
}
