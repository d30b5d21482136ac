import { createGatewayClient } from "@openclaw/client";
import { createTunnel } from "@openclaw/tunnel";

const tunnel = createTunnel(process.env["SSH_TARGET"] ?? "me@box", {
  sshConfig: process.env["SSH_CONFIG"],
});
const client = createGatewayClient({
  // As seen from the far side.
  url: process.env["OPENCLAW_GATEWAY_URL"] ?? "ws://127.0.0.1:18789",
  token: process.env["OPENCLAW_GATEWAY_TOKEN"],
  scopes: ["operator.read"],
  dial: (address, { signal }) => tunnel.connect(address, { signal }),
  carrierReady: (signal) => tunnel.ready({ signal }),
});
await client.connect();
console.log(`the Gateway has ${(await client.request("node.list", {})).nodes.length} nodes`);
await client.close();
await tunnel.close();
