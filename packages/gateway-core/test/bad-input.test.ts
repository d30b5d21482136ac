import { createRawPeer, createTestIdentity } from "@openclaw/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TOKEN, invokeParams, startTestGateway } from "./fixture.ts";

describe("before connect", () => {
  const frames = [
    ["text that is not JSON", "hello"],
    ["JSON that is not an object", "[1,2]"],
    ["an event", '{"type":"event","event":"tick"}'],
    ["a request without an id", '{"type":"req","method":"connect"}'],
    [
      "a frame nested 1,000 deep",
      `{"type":"req","id":"1","method":"connect","params":${"[".repeat(1_000)}${"]".repeat(1_000)}}`,
    ],
  ] as const;
  for (const [title, text] of frames) {
    test(`${title} closes with 1008 and no answer`, async () => {
      await using t = await startTestGateway();
      const peer = await t.peer();
      peer.send(text);
      expect(await peer.closed).toEqual({ code: 1008, reason: "invalid request frame" });
      expect(peer.received.filter((frame) => frame.type === "res")).toEqual([]);
    });
  }

  test("any other method is answered and closed", async () => {
    await using t = await startTestGateway();
    const peer = await t.peer();
    const message = "invalid handshake: first request must be connect";
    expect((await peer.request("health")).error).toEqual({ code: "INVALID_REQUEST", message });
    expect(await peer.closed).toEqual({ code: 1008, reason: message });
  });

  test("wrong params are named", async () => {
    await using t = await startTestGateway();
    const peer = await t.peer();
    const answer = await peer.connect({
      token: TOKEN,
      identity: false,
      mutate: (params) => ({
        ...params,
        client: { ...(params["client"] as object), id: "nobody" },
        extra: 1,
      }),
    });
    expect(answer.error?.message).toBe(
      "invalid connect params: at root: unexpected property 'extra'; at /client/id: must be equal to one of the allowed values",
    );
  });

  test("a frame above 64 KiB closes with 1009", async () => {
    await using t = await startTestGateway();
    const peer = await t.peer();
    peer.send("x".repeat(65_537));
    expect((await peer.closed).code).toBe(1009);
  });

  test("a peer that sends without end is cut before it fills the memory", async () => {
    await using t = await startTestGateway();
    const peer = await t.peer();
    peer.send("x".repeat(8 * 1024 * 1024));
    await peer.closed;
    expect((await (await t.operator()).request("health")).ok).toBe(true);
  });

  test("64 sockets that say nothing: half are refused with 503, all are closed in time, nobody else suffers", async () => {
    await using t = await startTestGateway({ limits: { handshakeTimeoutMs: 300 } });
    const operator = await t.operator();
    const sockets = await Promise.allSettled(
      Array.from({ length: 64 }, () => createRawPeer(t.url)),
    );
    const open = sockets.flatMap((socket) => (socket.status === "fulfilled" ? [socket.value] : []));
    const refused = sockets.flatMap((socket) =>
      socket.status === "rejected" ? [socket.reason] : [],
    );
    expect(open).toHaveLength(32);
    expect(refused.every((error) => error.statusCode === 503)).toBe(true);
    expect((await operator.request("health")).ok).toBe(true);
    expect(
      (await Promise.all(open.map((peer) => peer.closed))).every(({ code }) => code === 1000),
    ).toBe(true);
    // Their places are free again.
    await t.operator();
  });
});

describe("after connect", () => {
  const frames = [
    ["{not json", "invalid", "invalid request frame: must be JSON"],
    ['"text"', "invalid", "invalid request frame: must be object"],
    ['{"type":"req","id":"7"}', "7", "invalid request frame: must have required property 'method'"],
    [
      '{"type":"req","id":"8","method":"health","more":1}',
      "8",
      "invalid request frame: at root: unexpected property 'more'",
    ],
  ] as const;
  for (const [text, id] of frames) {
    test(`${text} is answered and the socket stays open`, async () => {
      await using t = await startTestGateway();
      const operator = await t.operator();
      operator.send(text);
      const answer = await operator.nextResponse(id);
      expect(answer.error).toMatchObject({
        code: "INVALID_REQUEST",
        message: expect.stringMatching(/^invalid request frame: ./),
      });
      expect((await operator.request("health")).ok).toBe(true);
    });
  }

  test("params that nest too deep are refused with the id of their request", async () => {
    await using t = await startTestGateway();
    const operator = await t.operator();
    const deep = `${"[".repeat(500)}${"]".repeat(500)}`;
    operator.send(`{"type":"req","id":"deep","method":"node.invoke","params":${deep}}`);
    expect((await operator.nextResponse("deep")).error?.code).toBe("INVALID_REQUEST");
    expect((await operator.request("health")).ok).toBe(true);
  });

  test("missing and unexpected params are named in the reference's words", async () => {
    await using t = await startTestGateway();
    const operator = await t.operator();
    expect((await operator.request("node.describe", {})).error?.message).toBe(
      "invalid node.describe params: must have required property 'nodeId'",
    );
    expect((await operator.request("node.list", { foo: 1 })).error?.message).toBe(
      "invalid node.list params: at root: unexpected property 'foo'",
    );
    const endless = invokeParams("n", { idempotencyKey: "k".repeat(1_025) });
    expect((await operator.request("node.invoke", endless)).error?.message).toBe(
      "invalid node.invoke params: at /idempotencyKey: must not have more than 1024 characters",
    );
    expect((await operator.request("node.describe", { nodeId: "nobody" })).error).toEqual({
      code: "INVALID_REQUEST",
      message: "unknown nodeId",
    });
  });

  test("a node that answers with 30 MB is closed with 1009, its caller hears at once, others go on", async () => {
    await using t = await startTestGateway();
    const node = await t.node({ answer: () => undefined });
    const other = await t.node({ answer: () => ({ ok: true, payload: "fine" }) });
    const operator = await t.operator();
    const answer = operator.request("node.invoke", invokeParams(node.nodeId));
    await expect.poll(() => node.invokes.length).toBe(1);
    node.peer.send({
      type: "req",
      id: "big",
      method: "node.invoke.result",
      params: {
        id: node.invokes[0]?.id,
        nodeId: node.nodeId,
        ok: true,
        payload: "x".repeat(30_000_000),
      },
    });
    expect((await node.peer.closed).code).toBe(1009);
    expect((await answer).error?.details).toMatchObject({ nodeError: { code: "DISCONNECTED" } });
    expect(await operator.call("node.invoke", invokeParams(other.nodeId))).toMatchObject({
      payload: "fine",
    });
  });

  test("more requests in flight than allowed are refused, retryable, and the rest is answered", async () => {
    await using t = await startTestGateway({ limits: { maxRequestsInFlight: 3 } });
    const node = await t.node({ answer: () => undefined });
    const operator = await t.operator();
    const running = Array.from({ length: 3 }, () =>
      operator.call("node.invoke", invokeParams(node.nodeId)),
    );
    await expect.poll(() => node.invokes.length).toBe(3);
    const refused = await operator.request("node.invoke", invokeParams(node.nodeId));
    expect(refused.error).toMatchObject({
      code: "UNAVAILABLE",
      retryable: true,
      details: { code: "TOO_MANY_REQUESTS", limit: 3 },
    });
    for (const { id } of node.invokes) await node.result(id, { ok: true });
    await Promise.all(running);
  });

  test("whatever the frame, the Gateway answers or closes, and lives", async () => {
    await using t = await startTestGateway();
    const witness = await t.operator();
    const method = fc.constantFrom(
      "health",
      "node.invoke",
      "device.pair.approve",
      "connect",
      "node.event",
      "nope",
    );
    const frame = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .record({
          type: fc.constant("req"),
          id: fc.string({ minLength: 1 }),
          method,
          params: fc.jsonValue(),
        })
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 20 }), async (frames) => {
        const peer = await t.operator({ identity: createTestIdentity() });
        for (const text of frames) peer.send(text);
        peer.send({ type: "req", id: "the-last-one", method: "health" });
        await Promise.race([peer.nextResponse("the-last-one"), peer.closed]);
        await peer[Symbol.asyncDispose]();
        expect((await witness.request("health")).ok).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
