import { loadOrCreateDeviceIdentity } from "@openclaw/client";
import { createNode, defineCommand } from "@openclaw/node-core";
import { z } from "zod";

const greet = defineCommand({
  name: "demo.greet",
  params: z.object({ name: z.string() }),
  run: ({ name }) => ({ greeting: `Hello ${name}` }),
});
const node = createNode({
  url: process.env["OPENCLAW_GATEWAY_URL"] ?? "ws://127.0.0.1:18789",
  token: process.env["OPENCLAW_GATEWAY_TOKEN"],
  identity: await loadOrCreateDeviceIdentity(process.env["NODE_IDENTITY"] ?? "node-identity.json"),
  commands: [greet],
});
await node.start();
console.log(`node ${node.nodeId} is connected`);
