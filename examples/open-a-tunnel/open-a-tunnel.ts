import { openTunnel } from "@openclaw/tunnel";

const remotePort = Number(process.env["REMOTE_PORT"] ?? 18789);
const tunnel = await openTunnel(process.env["SSH_TARGET"] ?? "me@box", {
  forwards: [{ localPort: 0, remotePort }],
  sshConfig: process.env["SSH_CONFIG"],
  onState: (state) => console.error("tunnel:", state.kind),
});
console.log("other programs connect to", tunnel.forwards[0]?.local);

// Straight through, without a local port.
const socket = await tunnel.connect({ port: remotePort });
socket.end("GET /healthz HTTP/1.0\r\n\r\n");
for await (const chunk of socket) process.stdout.write(chunk);
await tunnel.close();
