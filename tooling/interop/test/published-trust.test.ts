import { X509Certificate } from "node:crypto";
import { createGateway, type GatewayOptions, type ListenOptions } from "@openclaw/gateway-core";
import { proxyCertificate } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";
import {
  connectPublishedClient,
  createFrameAuditor,
  createPublishedIdentity,
  openDoor,
  type PublishedClient,
  type PublishedClientOptions,
} from "../src/index.ts";

const TOKEN = "interop-secret-0123456789abcdef";
const PASSWORD = "interop-password-0123456789";
const { cert, key } = proxyCertificate;

async function setup(options: Partial<GatewayOptions> = {}, listen: Partial<ListenOptions> = {}) {
  const auditor = createFrameAuditor();
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    hooks: { frameSent: auditor.frameSent },
    ...options,
  });
  const { url, port } = await gateway.listen({ host: "127.0.0.1", port: 0, ...listen });
  const clients: PublishedClient[] = [];
  onTestFinished(async () => {
    await gateway.close();
    await Promise.all(clients.map((client) => client.stop()));
    auditor.assertClean();
  });
  return {
    gateway,
    port,
    async connect(clientOptions: PublishedClientOptions): Promise<PublishedClient> {
      const client = await connectPublishedClient({ url, auditor, ...clientOptions });
      clients.push(client);
      return client;
    },
  };
}

const READ = { scopes: ["operator.read"] };

test("the published client comes in by password, and is told of a wrong or missing one", async () => {
  const { connect } = await setup({ auth: { mode: "password", password: PASSWORD } });
  const operator = await connect({ ...READ, password: PASSWORD });
  expect(await operator.request("health")).toMatchObject({ ok: true });
  await expect(connect({ ...READ, password: "another" })).rejects.toMatchObject({
    details: { code: "AUTH_PASSWORD_MISMATCH" },
  });
  await expect(connect({ ...READ })).rejects.toMatchObject({
    details: { code: "AUTH_PASSWORD_MISSING" },
  });
});

test("the published client accepts the certificate that it has pinned and no other", async () => {
  const { connect } = await setup({}, { tls: { cert, key } });
  const tlsFingerprint = new X509Certificate(cert).fingerprint256;
  const identity = createPublishedIdentity();
  const operator = await connect({ ...READ, token: TOKEN, identity, tlsFingerprint });
  expect(await operator.request("health")).toMatchObject({ ok: true });
  const other = tlsFingerprint.replaceAll(/[0-9A-F]/g, (digit) => (digit === "0" ? "1" : "0"));
  await expect(connect({ ...READ, token: TOKEN, tlsFingerprint: other })).rejects.toThrow(
    /fingerprint/i,
  );
});

test("the published client hears that it has to wait, and until when", async () => {
  const { connect } = await setup();
  const wrong = { ...READ, token: "a wrong one" };
  let code: unknown;
  let error: unknown;
  for (let n = 0; n < 20 && code !== "AUTH_RATE_LIMITED"; n += 1) {
    // oxlint-disable-next-line no-await-in-loop
    error = await connect(wrong).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    code = (error as { details?: { code?: unknown } } | undefined)?.details?.code;
  }
  expect(error).toMatchObject({
    retryable: true,
    retryAfterMs: expect.any(Number),
    details: { code: "AUTH_RATE_LIMITED", recommendedNextStep: "wait_then_retry" },
  });
});

test("the published client comes in as whom a trusted proxy names, once its device is paired", async () => {
  const { connect, gateway, port } = await setup({
    auth: {
      mode: "trusted-proxy",
      userHeader: "X-Forwarded-User",
      allowUsers: ["ada@claw.example"],
      allowLoopback: true,
    },
    trustedProxies: ["127.0.0.1"],
  });
  const identity = createPublishedIdentity();
  const proxied = async (user: string): Promise<PublishedClient> => {
    const headers = {
      "X-Forwarded-For": "192.0.2.7",
      "X-Forwarded-Proto": "https",
      "X-Forwarded-User": user,
    };
    const door = await openDoor({ targetPort: port, headers });
    onTestFinished(() => door[Symbol.asyncDispose]());
    return connect({ ...READ, url: door.url, identity });
  };
  await expect(proxied("mallory@claw.example")).rejects.toMatchObject({
    details: { authReason: "trusted_proxy_user_not_allowed" },
  });
  await expect(proxied("ada@claw.example")).rejects.toMatchObject({
    details: { code: "PAIRING_REQUIRED" },
  });
  const { pending } = (await gateway.call("device.pair.list", {})) as {
    pending: { requestId: string }[];
  };
  await gateway.call("device.pair.approve", { requestId: pending[0]?.requestId });
  const operator = await proxied("ada@claw.example");
  expect(await operator.request("health")).toMatchObject({ ok: true });
});

test("the published client that stays connected while the secret changes is told why it is cut off", async () => {
  const { connect, gateway } = await setup();
  const operator = await connect({ ...READ, token: TOKEN });
  gateway.update({ auth: { mode: "token", token: `${TOKEN}-new` } });
  await expect
    .poll(() => operator.closes)
    .toContainEqual({
      code: 4001,
      reason: "gateway auth changed",
    });
  const again = await connect({ ...READ, token: `${TOKEN}-new` });
  expect(await again.request("health")).toMatchObject({ ok: true });
});
