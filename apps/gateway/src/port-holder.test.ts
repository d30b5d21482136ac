import { expect, test } from "vitest";
import { holderKind } from "./port-holder.ts";

test.each([
  ["ssh -N -L 18789:127.0.0.1:18789 me@box", "ssh"],
  ["/usr/bin/ssh -i /home/me/.ssh/openclaw_ed25519 -N openclaw-box", "ssh"],
  ["ssh: /home/me/.ssh/openclaw.sock [mux]", "ssh"],
  ["node /opt/openclaw/bin/openclaw.js gateway run", "gateway"],
  ["node /usr/bin/clawdbot gateway start", "gateway"],
  ["env -i /usr/bin/ssh -N box", "ssh"],
  ["nginx: master process", "unknown"],
  ["", "unknown"],
])("%j is %s", (commandLine, kind) => {
  expect(holderKind({ address: "127.0.0.1", commandLine })).toBe(kind);
});
