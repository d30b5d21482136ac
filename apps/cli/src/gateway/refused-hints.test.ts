import type { GatewayTarget } from "@openclaw/config";
import { expect, test } from "vitest";
import { refusedHints } from "./refused-hints.ts";

test.each<[string, GatewayTarget, RegExp]>([
  [
    "this machine's Gateway is to be started",
    { url: "ws://127.0.0.1:18789", kind: "local", urlSource: "local loopback" },
    /^Start a Gateway: openclaw gateway run/,
  ],
  [
    "the near end of a tunnel needs the tunnel, on the port of the URL",
    { url: "ws://127.0.0.1:18790", kind: "remote", urlSource: "config gateway.remote.url" },
    /ssh -N -L 18790:127\.0\.0\.1:18789 <user>@<host>/,
  ],
  [
    "a tailnet address may belong to a Gateway behind Serve, or bound to loopback",
    { url: "ws://100.64.0.9:18789", kind: "remote", urlSource: "cli --url" },
    /gateway\.bind loopback.*wss:\/\/<its MagicDNS name>.*ssh:\/\//,
  ],
])("nobody listens: %s", (_title, target, expected) => {
  const hints = refusedHints({ commandLine: (words) => `openclaw ${words}` }, { target });
  expect(hints.join(" ")).toMatch(expected);
});
