import { checkGatewayUrl } from "@openclaw/client";
import { resolveGatewayTarget } from "@openclaw/config";
import { expect, test } from "vitest";

const ALLOWED = [
  ...["localhost", "LOCALHOST", "localhost.", "gw.localhost", "127.0.0.1", "127.255.0.9", "[::1]"],
  ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.9", "169.254.0.1"],
  ...[
    "100.64.0.1",
    "100.127.255.255",
    "[fd7a:115c:a1e0::1]",
    "[fc00::1]",
    "[fe80::1]",
    "[febf::1]",
  ],
  ...["box.local", "box.local.", "box.tail1234.ts.net", "Box.Tail1234.TS.NET."],
  ...["[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "0x7f.1", "2130706433"],
];
const REFUSED = [
  ...["gateway.example", "8.8.8.8", "[2001:db8::1]", "[::ffff:8.8.8.8]", "0.0.0.0", "[::]"],
  ...["172.15.0.1", "172.32.0.1", "192.169.0.1", "100.63.0.1", "100.128.0.1", "11.0.0.1"],
  ...["[fec0::1]", "[ff02::1]", "local", "evil-ts.net", "ts.net", "ts.net.evil.example"],
  ...[
    "10.evil.example",
    "127.0.0.1.evil.example",
    "box.local.evil.example",
    "localhost.evil.example",
  ],
];

const cases = [
  ...ALLOWED.map((host) => [host, true] as const),
  ...REFUSED.map((host) => [host, false] as const),
];

test.each(cases)(
  "plaintext to %s is %j, in a program as on the command line",
  (host, isAllowed) => {
    const url = `ws://${host}:18789`;
    const byLibrary = checkGatewayUrl(url);
    expect(byLibrary.ok).toBe(isAllowed);
    if (!byLibrary.ok) expect(byLibrary.error.code).toBe("INSECURE_URL");

    const ways = [
      { flags: { url } },
      { env: { OPENCLAW_GATEWAY_URL: url } },
      { config: { gateway: { mode: "remote", remote: { url } } } },
    ];
    for (const way of ways) {
      const choose = () => resolveGatewayTarget({ env: {}, config: {}, ...way });
      if (isAllowed) expect(choose().url).toMatch(/^ws:/);
      else expect(choose).toThrow(expect.objectContaining({ code: "INSECURE_URL" }));
    }
  },
);

test.each(REFUSED)(
  "to %s both allow it for a network that is trusted on purpose, and TLS always",
  (host) => {
    const env = { OPENCLAW_ALLOW_INSECURE_PRIVATE_WS: "1" };
    const flags = { url: `ws://${host}:18789` };
    expect(checkGatewayUrl(flags.url, { allowInsecure: true }).ok).toBe(true);
    expect(resolveGatewayTarget({ env, config: {}, flags }).url).toMatch(/^ws:/);
    const secure = `wss://${host}:18789`;
    expect(checkGatewayUrl(secure).ok).toBe(true);
    expect(resolveGatewayTarget({ env: {}, config: {}, flags: { url: secure } }).url).toMatch(
      /^wss:/,
    );
  },
);

test("both refusals name the setting and the safer ways", () => {
  const url = "ws://gateway.example:18789";
  const byLibrary = checkGatewayUrl(url);
  const hints = [byLibrary.ok ? "" : (byLibrary.error.hint ?? "")];
  try {
    resolveGatewayTarget({ env: {}, config: {}, flags: { url } });
  } catch (error) {
    hints.push((error as { hint: string }).hint);
  }
  expect(hints).toHaveLength(2);
  for (const hint of hints) {
    expect(hint).toMatch(/wss:\/\/.*SSH tunnel.*Tailscale.*OPENCLAW_ALLOW_INSECURE_PRIVATE_WS/);
  }
});
