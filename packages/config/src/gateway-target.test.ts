import { expect, test } from "vitest";
import { resolveGatewayTarget, type GatewayTargetOptions } from "./gateway-target.ts";

const remote = { gateway: { mode: "remote", remote: { url: "wss://gw.example" } } };

function resolve(options: Partial<GatewayTargetOptions>) {
  return resolveGatewayTarget({ env: {}, config: {}, configPath: "/c/openclaw.json", ...options });
}

test("--url comes first", () => {
  const env = { OPENCLAW_GATEWAY_URL: "ws://10.0.0.1" };
  expect(resolve({ flags: { url: "ws://10.0.0.2:1" }, env, config: remote })).toEqual({
    url: "ws://10.0.0.2:1",
    kind: "url-flag",
    urlSource: "cli --url",
  });
});

test("--port means this machine, also where the config is remote", () => {
  expect(resolve({ flags: { port: "4242" }, config: remote })).toEqual({
    url: "ws://127.0.0.1:4242",
    kind: "port-flag",
    urlSource: "cli --port",
  });
});

test("then OPENCLAW_GATEWAY_URL, with its old name shown as it is", () => {
  expect(resolve({ env: { CLAWDBOT_GATEWAY_URL: "ws://10.0.0.1" }, config: remote })).toEqual({
    url: "ws://10.0.0.1:18789",
    kind: "env-url",
    urlSource: "env CLAWDBOT_GATEWAY_URL",
  });
});

test("then gateway.remote.url, in remote mode only", () => {
  expect(resolve({ config: remote })).toMatchObject({
    kind: "remote",
    urlSource: "config gateway.remote.url",
  });
  const local = { gateway: { ...remote.gateway, mode: "local" } };
  expect(resolve({ config: local })).toMatchObject({ kind: "local", urlSource: "local loopback" });
});

test.each([
  [{}, {}, "ws://127.0.0.1:18789"],
  [{ port: 4000 }, {}, "ws://127.0.0.1:4000"],
  [{ port: 4000 }, { OPENCLAW_GATEWAY_PORT: "5000" }, "ws://127.0.0.1:5000"],
  [{ port: 4000 }, { OPENCLAW_GATEWAY_PORT: "0" }, "ws://127.0.0.1:4000"],
  [{ port: 4000 }, { OPENCLAW_GATEWAY_PORT: "x" }, "ws://127.0.0.1:4000"],
  [{ port: "4000" }, {}, "ws://127.0.0.1:18789"],
  [{ tls: { enabled: true } }, {}, "wss://127.0.0.1:18789"],
])("the local Gateway of %j with %j is at %s", (gateway, env, url) => {
  expect(resolve({ config: { gateway }, env }).url).toBe(url);
});

test("a Gateway bound to the tailnet is reached at its tailnet address, if there is one", () => {
  const config = { gateway: { bind: "tailnet" } };
  expect(resolve({ config, tailnetAddress: "100.100.1.2" })).toMatchObject({
    url: "ws://100.100.1.2:18789",
    urlSource: "local tailnet 100.100.1.2",
  });
  expect(resolve({ config }).urlSource).toBe("local loopback");
});

test("the pin of the remote Gateway goes with its URL, and with no other", () => {
  const pinned = structuredClone(remote) as { gateway: { remote: Record<string, string> } };
  pinned.gateway.remote["tlsFingerprint"] = "cd";
  expect(resolve({ config: pinned })).toMatchObject({ kind: "remote", tlsFingerprint: "cd" });
  expect(resolve({ config: pinned, flags: { url: "wss://gw.example" } })).not.toHaveProperty(
    "tlsFingerprint",
  );
});

test("remote mode without a URL names the key, the file and both cures", () => {
  const config = { gateway: { mode: "remote" } };
  expect(() => resolve({ config })).toThrow(
    expect.objectContaining({
      code: "REMOTE_URL_MISSING",
      message: expect.stringMatching(/gateway\.remote\.url.*\/c\/openclaw\.json/u),
      hint: expect.stringMatching(/gateway\.remote\.url.*gateway\.mode/u),
    }),
  );
  expect(resolve({ config, fallBackToLocal: true })).toMatchObject({
    url: "ws://127.0.0.1:18789",
    urlSource: "missing gateway.remote.url (fallback local)",
    warning: expect.stringContaining("gateway.remote.url"),
  });
});

test("a remote URL whose variable is missing does not turn into the local Gateway", () => {
  const unresolved = [{ path: "gateway.remote.url", name: "GW" }];
  expect(() => resolve({ config: { gateway: { mode: "remote" } }, unresolved })).toThrow(
    expect.objectContaining({ message: expect.stringContaining("${GW}") }),
  );
});

test.each([
  [{ url: "ws://h.local", port: 1 }, "URL_AND_PORT"],
  [{ port: "0" }, "INVALID_PORT"],
  [{ port: "65536" }, "INVALID_PORT"],
  [{ port: "12x" }, "INVALID_PORT"],
  [{ url: "http://h" }, "INVALID_URL"],
  [{ url: "ws://gw.example" }, "INSECURE_URL"],
])("%j is refused with %s", (flags, code) => {
  expect(() => resolve({ flags })).toThrow(expect.objectContaining({ code }));
});

test("a refused plaintext URL is named with its source, the config path and the cures", () => {
  expect(() => resolve({ flags: { url: "ws://gw.example:1234" } })).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/ws:\/\/gw\.example:1234.*cli --url.*\/c\/openclaw\.json/u),
      hint: expect.stringMatching(/wss:\/\/gw\.example:1234.*SSH tunnel.*Tailscale/u),
    }),
  );
  const env = { OPENCLAW_ALLOW_INSECURE_PRIVATE_WS: "1" };
  expect(resolve({ flags: { url: "ws://gw.example" }, env }).url).toBe("ws://gw.example:18789");
});
