import { decodeSetupCode } from "@openclaw/client";
import { createGateway } from "@openclaw/gateway-core";
import { expect, onTestFinished, test } from "vitest";
import {
  connectPublishedClient,
  createFrameAuditor,
  createPublishedIdentity,
  type PublishedClient,
  type PublishedClientOptions,
} from "../src/index.ts";

const TOKEN = "interop-secret-0123456789abcdef";
const NODE: PublishedClientOptions = {
  role: "node",
  mode: "node",
  clientName: "node-host",
  clientDisplayName: "Workshop",
  clientVersion: "2026.9.1",
  platform: "linux",
  deviceFamily: "Linux",
  scopes: [],
  caps: ["system"],
  commands: ["system.run"],
  permissions: {},
};

async function setup() {
  const auditor = createFrameAuditor();
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    hooks: { frameSent: auditor.frameSent },
    nodes: { pairing: { autoApproveLocal: false } },
    setup: { urls: () => ["wss://gateway.example"], tlsFingerprint: () => "AB:CD" },
  });
  const { url } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  const clients: PublishedClient[] = [];
  onTestFinished(async () => {
    await gateway.close();
    await Promise.all(clients.map((client) => client.stop()));
    auditor.assertClean();
  });
  return async (options: PublishedClientOptions): Promise<PublishedClient> => {
    const client = await connectPublishedClient({ url, auditor, ...options });
    clients.push(client);
    return client;
  };
}

test("the published client gets a setup code as the published contract has it, and one pairs a node with it", async () => {
  const connect = await setup();
  const operator = await connect({ token: TOKEN, scopes: ["operator.admin"] });
  const issued = await operator.request<{ setupId: string; setupCode: string }>(
    "device.pair.setupCode",
    { includeQr: false },
  );
  const decoded = decodeSetupCode(issued.setupCode, Date.now());
  if (!decoded.ok) throw new Error(decoded.problem);

  const identity = createPublishedIdentity();
  const { bootstrapToken } = decoded.code;
  const node = await connect({ ...NODE, identity, bootstrapToken });
  expect(node.hello.auth).toMatchObject({ role: "node", deviceToken: expect.any(String) });
  const done = await operator.event("device.pair.setup.completed");
  expect(done.payload).toMatchObject({ setupId: issued.setupId, deviceId: identity.deviceId });
  const status = await operator.request("device.pair.setupStatus", { setupId: issued.setupId });
  expect(status).toMatchObject({ completion: { deviceId: identity.deviceId } });

  // It has kept its token, and comes back by that.
  await node.stop();
  expect(identity.tokens.has("node")).toBe(true);
  const again = await connect({ ...NODE, identity });
  expect(again.hello.auth).toMatchObject({ role: "node" });
});

test("the published client is told that a code is used up in the words that it knows", async () => {
  const connect = await setup();
  const operator = await connect({ token: TOKEN, scopes: ["operator.admin"] });
  const { setupCode } = await operator.request<{ setupCode: string }>("device.pair.setupCode", {});
  const decoded = decodeSetupCode(setupCode, Date.now());
  if (!decoded.ok) throw new Error(decoded.problem);
  const { bootstrapToken } = decoded.code;
  await connect({ ...NODE, identity: createPublishedIdentity(), bootstrapToken });
  await expect(
    connect({ ...NODE, identity: createPublishedIdentity(), bootstrapToken }),
  ).rejects.toThrow(/setup code invalid, expired, revoked, or already used/);
});
