import { expect, test } from "vitest";
import { holderKind } from "./holder-kind.ts";

test.for<[string, string | undefined, string[]]>([
  ["gateway", "node", ["node", "/usr/lib/node_modules/openclaw/dist/index.js", "gateway"]],
  ["gateway", "node", ["/usr/bin/node", "--no-warnings", "/opt/bin/openclaw", "gateway", "run"]],
  ["gateway", "node", ["node", "--import", "x", "/opt/bin/openclaw.mjs", "--dev", "gateway"]],
  ["gateway", "node", ["node", "/opt/bin/openclaw", "--profile", "node", "gateway"]],
  ["gateway", "openclaw-gateway", ["openclaw-gateway"]],
  ["gateway", "openclaw-gatewa", ["openclaw-gateway  "]],
  ["gateway", "node", ["node", "/opt/openclaw-gateway.mjs", "--port", "18789"]],
  ["gateway", "node", ["node", "/usr/lib/node_modules/clawdbot/dist/entry.js", "gateway"]],
  ["gateway", "node", ["node", "/home/me/bin/moltbot", "gateway", "--port", "18789"]],
  [
    "gateway",
    "node.exe",
    [String.raw`C:\nodejs\node.exe`, String.raw`C:\openclaw\cli.js`, "gateway"],
  ],
  ["own-tunnel", "node", ["node", "/opt/bin/openclaw", "tunnel", "open", "gateway"]],
  ["own-tunnel", "node", ["node", "/opt/bin/openclaw", "node", "run", "--ssh", "me@box"]],
  ["own-tunnel", "openclaw-node", ["openclaw-node", "run"]],
  ["program", "node", ["node", "/opt/bin/openclaw", "health"]],
  ["program", "node", ["node", "/srv/app/gateway.js", "gateway"]],
  ["program", "node", ["node", "server.js", "--name", "openclaw", "gateway"]],
  ["program", "openclaw-foo", ["openclaw-foo", "gateway"]],
  ["ssh", "ssh", ["ssh", "-N", "-L", "18789:127.0.0.1:18789", "box"]],
  ["ssh", "ssh", ["/usr/bin/ssh", "-N", "box"]],
  ["ssh", "ssh", ["ssh: /home/me/.ssh/cm-box [mux]"]],
  ["ssh", "ssh.exe", []],
  ["program", "sshd", ["sshd: me@pts/0"]],
  ["program", "python3", ["python3", "-m", "http.server"]],
  ["program", "postgres", []],
  ["unknown", undefined, []],
])("calls it %s: %s %j", ([kind, program, argv]) => {
  expect(holderKind(program, argv)).toBe(kind);
});
