import { createTestIdentity } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import type { Logger } from "../src/index.ts";
import { TOKEN, invokeParams, startTestGateway } from "./fixture.ts";

const REMOTE = { nodes: { pairing: { autoApproveLocal: false } } };

interface Auth {
  deviceToken: string;
  role: string;
  scopes: string[];
}

const authOf = (hello: Record<string, unknown>): Auth => hello["auth"] as Auth;

describe("a device token", () => {
  test("of a node opens nothing to an operator, and the other way round", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    const node = await t.node({ identity });
    const { deviceToken, scopes } = authOf(node.hello);
    expect(scopes).toEqual([]);
    const asOperator = await (await t.peer()).connect({ deviceToken, identity });
    expect(asOperator.error?.details).toMatchObject({ code: "AUTH_DEVICE_TOKEN_MISMATCH" });

    const operator = authOf(await (await t.peer()).handshake({ token: TOKEN, identity }));
    const asNode = await (
      await t.peer()
    ).connect({ deviceToken: operator.deviceToken, identity, role: "node" });
    expect(asNode.error?.details).toMatchObject({ code: "AUTH_DEVICE_TOKEN_MISMATCH" });
  });

  test("gives a node no scope of an operator's, whatever it asks for", async () => {
    await using t = await startTestGateway();
    const node = await t.node({ scopes: ["operator.admin"] });
    expect(authOf(node.hello).scopes).toEqual([]);
    const answer = await node.peer.request("node.list");
    expect(answer.error).toMatchObject({ message: "unauthorized role: node" });
  });

  test("gives the scopes that were granted; more of them wait for a decision, on this machine too", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    const read = ["operator.read"];
    const hello = await (await t.peer()).handshake({ token: TOKEN, identity, scopes: read });
    const { deviceToken } = authOf(hello);

    const more = ["operator.read", "operator.admin"];
    const refused = await (await t.peer()).connect({ deviceToken, identity, scopes: more });
    expect(refused.error?.details).toMatchObject({
      code: "PAIRING_REQUIRED",
      reason: "scope-upgrade",
      approvedScopes: read,
    });
    // Sent where the secret belongs, it is worth no more.
    const asSecret = await (await t.peer()).connect({ token: deviceToken, identity, scopes: more });
    expect(asSecret.error?.details).toMatchObject({ reason: "scope-upgrade" });
    const same = await (await t.peer()).handshake({ deviceToken, identity, scopes: read });
    expect(authOf(same).scopes).toEqual(read);
  });

  test("alone passes the same pairing rules: another role waits for a decision", async () => {
    await using t = await startTestGateway(REMOTE);
    const admin = await t.operator();
    const identity = createTestIdentity();
    const refused = await (await t.peer()).connect({ token: TOKEN, identity, scopes: [] });
    await admin.call("device.pair.approve", { requestId: refused.error?.details?.["requestId"] });
    await (await t.peer()).handshake({ token: TOKEN, identity, scopes: [] });
    const asNode = await (await t.peer()).connect({ token: TOKEN, identity, role: "node" });
    expect(asNode.error?.details).toMatchObject({
      code: "PAIRING_REQUIRED",
      reason: "role-upgrade",
    });
  });

  test("that was revoked or rotated opens nothing, in whichever field it comes", async () => {
    await using t = await startTestGateway();
    const admin = await t.operator();
    for (const method of ["device.token.revoke", "device.token.rotate"]) {
      const identity = createTestIdentity();
      const { deviceToken } = authOf(await (await t.peer()).handshake({ token: TOKEN, identity }));
      await admin.call(method, { deviceId: identity.deviceId, role: "operator" });
      const alone = await (await t.peer()).connect({ deviceToken, identity });
      expect(alone.error?.details).toMatchObject({ code: "AUTH_DEVICE_TOKEN_MISMATCH" });
      const asSecret = await (await t.peer()).connect({ token: deviceToken, identity });
      expect(asSecret.error?.details).toMatchObject({ code: "AUTH_TOKEN_MISMATCH" });
    }
  });
});

test("who may not read does not learn from hello who else is here", async () => {
  await using t = await startTestGateway();
  await t.node();
  const read = await (await t.peer()).handshake({ token: TOKEN, scopes: ["operator.read"] });
  expect((read["snapshot"] as { presence: unknown[] }).presence.length).toBeGreaterThan(1);
  const none = await (await t.peer()).handshake({ token: TOKEN, scopes: [] });
  expect(none["snapshot"]).toMatchObject({ presence: [] });
});

test("no secret stands in a log line, and in no frame but the hello of the device it belongs to", async () => {
  const lines: string[] = [];
  const log = (fields: object, message: string): void => {
    const plain = (_key: string, value: unknown): unknown =>
      value instanceof Error ? { message: value.message, stack: value.stack } : value;
    lines.push(`${message} ${JSON.stringify(fields, plain)}`);
  };
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  await using t = await startTestGateway({ logger });
  const identity = createTestIdentity();
  const node = await t.node({
    answer: () => ({ ok: true, payload: { text: "secret-of-the-answer" } }),
  });
  const peer = await t.peer();
  const { deviceToken } = authOf(await peer.handshake({ token: TOKEN, identity }));
  const nodeToken = authOf(node.hello).deviceToken;
  await (await t.peer()).connect({ token: "a-wrong-guess-of-the-secret" });
  await (await t.peer()).connect({ deviceToken: "a-wrong-device-token-of-somebody", identity });
  await (await t.peer()).connect({ password: "a-wrong-password", identity: false });
  await peer.call("node.invoke", invokeParams(node.nodeId, { params: { key: "secret-param" } }));
  for (const method of ["status", "health", "device.pair.list", "node.list", "system-presence"])
    await peer.call(method);
  await peer.request("node.invoke", { idempotencyKey: "secret-param", nodeId: 1 });
  const other = createTestIdentity();
  await (await t.peer()).handshake({ token: TOKEN, identity: other });
  const rotated = { deviceId: other.deviceId, role: "operator" };
  expect(await peer.call("device.token.rotate", rotated)).not.toHaveProperty("token");

  expect(lines.length).toBeGreaterThan(0);
  const guesses = ["a-wrong-guess", "a-wrong-device-token", "a-wrong-password"];
  const secrets = [TOKEN, deviceToken, nodeToken, "secret-param", "secret-of-the-answer"];
  for (const secret of [...secrets, ...guesses])
    expect(lines.filter((line) => line.includes(secret))).toEqual([]);
  for (const secret of [TOKEN, ...guesses])
    expect(t.sent.filter((text) => text.includes(secret))).toEqual([]);
  for (const token of [deviceToken, nodeToken]) {
    const holding = t.sent.filter((text) => text.includes(token));
    expect(holding).toHaveLength(1);
    expect(holding[0]).toContain('"type":"hello-ok"');
  }
});
