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

const pin = "cd".repeat(32);
const shownPin = "CD:".repeat(31) + "CD";
const keyPin = `sha256//${"A".repeat(43)}=`;

function pinned(tlsFingerprint: unknown, url = "wss://gw.example"): object {
  return { gateway: { mode: "remote", remote: { url, tlsFingerprint } } };
}

test.each([
  [pin, [shownPin]],
  [[keyPin], [keyPin]],
  [
    [shownPin.toLowerCase(), keyPin],
    [shownPin, keyPin],
  ],
])("the pin %j of the remote Gateway goes with its URL, and with no other", (given, pins) => {
  const config = pinned(given);
  expect(resolve({ config })).toMatchObject({ kind: "remote", tlsFingerprint: pins });
  for (const flags of [{ url: "wss://other.example" }, { url: "wss://gw.example" }, { port: 1 }]) {
    expect(resolve({ config, flags })).not.toHaveProperty("tlsFingerprint");
  }
  const env = { OPENCLAW_GATEWAY_URL: "wss://other.example" };
  expect(resolve({ config, env })).not.toHaveProperty("tlsFingerprint");
});

test.each(["cd", 7, [pin, 7], [pin, keyPin, pin], "${PIN}"])(
  "the configured pin %j is refused rather than left out",
  (given) => {
    expect(() => resolve({ config: pinned(given) })).toThrow(
      expect.objectContaining({
        code: "INVALID_TLS_PIN",
        message: expect.stringContaining("gateway.remote.tlsFingerprint"),
      }),
    );
  },
);

test("a pin of the config cannot be held to over plaintext: refused, or told where nothing leaves", () => {
  expect(() => resolve({ config: pinned(pin, "ws://10.0.0.1:1") })).toThrow(
    expect.objectContaining({ code: "INVALID_TLS_PIN" }),
  );
  const target = resolve({ config: pinned(pin, "ws://127.0.0.1:1") });
  expect(target).not.toHaveProperty("tlsFingerprint");
  expect(target.warning).toContain("gateway.remote.tlsFingerprint is not used");
});

test("--tls-fingerprint holds for whichever target was chosen, and goes before the config", () => {
  const flags = { tlsFingerprint: [keyPin, pin] };
  const pins = [keyPin, shownPin];
  expect(resolve({ config: pinned("ab".repeat(32)), flags }).tlsFingerprint).toEqual(pins);
  expect(resolve({ flags: { ...flags, url: "wss://a.example" } }).tlsFingerprint).toEqual(pins);
  expect(() => resolve({ flags: { ...flags, url: "ws://10.0.0.1" } })).toThrow(
    "--tls-fingerprint is for wss://, and ws://10.0.0.1:18789 is plaintext.",
  );
  expect(() => resolve({ flags: { tlsFingerprint: ["x"] } })).toThrow(
    "--tls-fingerprint is neither",
  );
});

test("a Gateway of this machine that serves TLS is reached by wss, at its port and at --port", () => {
  const config = { gateway: { tls: { enabled: true } } };
  expect(resolve({ config }).url).toBe("wss://127.0.0.1:18789");
  expect(resolve({ config, flags: { port: 4242 } }).url).toBe("wss://127.0.0.1:4242");
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

const SSH = { kind: "ssh", target: "me@box", remotePort: 18_789, hostKeyPolicy: "strict" };

function remoteConfig(remote: object, gateway: object = {}) {
  return { gateway: { mode: "remote", remote, ...gateway } };
}

test("an SSH address is a Gateway wherever a URL is", () => {
  const through = {
    url: "ws://127.0.0.1:18789",
    via: SSH,
    endpointKey: "ssh://me@box/18789",
  };
  expect(resolve({ flags: { url: "ssh://me@box" } })).toEqual({
    ...through,
    kind: "url-flag",
    urlSource: "cli --url",
  });
  expect(resolve({ env: { OPENCLAW_GATEWAY_URL: "me@box" } })).toEqual({
    ...through,
    kind: "env-url",
    urlSource: "env OPENCLAW_GATEWAY_URL",
  });
  for (const url of ["ssh://me@box", "me@box"]) {
    expect(resolve({ config: remoteConfig({ url }) })).toEqual({
      ...through,
      kind: "remote",
      urlSource: "config gateway.remote.url",
    });
  }
});

test("key, policy, port and pin of the config go with its own target, and with no other", () => {
  const config = remoteConfig({
    url: "ssh://me@box",
    sshIdentity: "~/.ssh/gateway",
    sshHostKeyPolicy: "accept-new",
    remotePort: 18_800,
  });
  expect(resolve({ config }).via).toEqual({
    ...SSH,
    identity: "~/.ssh/gateway",
    hostKeyPolicy: "accept-new",
    remotePort: 18_800,
  });
  expect(resolve({ config, flags: { url: "ssh://me@box" } }).via).toEqual(SSH);
  expect(resolve({ config, env: { OPENCLAW_GATEWAY_URL: "ssh://me@box" } }).via).toEqual(SSH);
});

test.each([
  // The path of the URL, then the key, then the default.
  [{ url: "ssh://me@box/18801", remotePort: 18_800 }, {}, "ws://127.0.0.1:18801"],
  [{ url: "me@box", remotePort: 18_800 }, {}, "ws://127.0.0.1:18800"],
  [{ url: "me@box" }, { port: 19_000 }, "ws://127.0.0.1:18789"],
  // With sshTarget: the key, then a URL that is not of this machine, then the port of this machine.
  [ssh({ url: "ws://box.local:18801", remotePort: 18_800 }), {}, "ws://127.0.0.1:18800"],
  [ssh({ url: "ws://box.local:18801/base?a=b" }), {}, "ws://127.0.0.1:18801/base?a=b"],
  [ssh({ url: "ws://box.local:80" }), {}, "ws://127.0.0.1:80"],
  [ssh({ url: "ws://gw.example" }), {}, "ws://127.0.0.1:18789"],
  [ssh({ url: "ws://127.0.0.1:18790" }), {}, "ws://127.0.0.1:18789"],
  [ssh({ url: "ws://localhost:18790" }), { port: 19_000 }, "ws://127.0.0.1:19000"],
  [ssh({}), { port: 19_000 }, "ws://127.0.0.1:19000"],
  [ssh({}), {}, "ws://127.0.0.1:18789"],
  // The certificate names the host, however one gets there.
  [ssh({ url: "wss://gw.example" }), {}, "wss://gw.example"],
  [ssh({ url: "wss://gw.example", remotePort: 8443 }), {}, "wss://gw.example:8443"],
  [ssh({ url: "wss://127.0.0.1:1234" }), {}, "wss://127.0.0.1:18789"],
  // Without a URL there is nothing that sshTarget could contradict.
  [{ sshTarget: "me@box" }, {}, "ws://127.0.0.1:18789"],
])("%j with %j is %s on the far side", (remote, gateway, url) => {
  const target = resolve({ config: remoteConfig(remote, gateway) });
  expect(target).toMatchObject({ url, kind: "remote", via: { target: "me@box" } });
  const scheme = url.startsWith("wss:") ? 443 : 80;
  expect(target.via?.remotePort).toBe(Number(new URL(url).port || scheme));
  expect(target.endpointKey).toBe(`ssh://me@box/${target.via?.remotePort}`);
});

function ssh(remote: object) {
  return { transport: "ssh", sshTarget: "me@box", ...remote };
}

test.each([
  [{ url: "ws://127.0.0.1:18790", sshTarget: "me@box" }],
  [{ url: "ws://127.0.0.1:18790", sshTarget: "me@box", transport: "direct" }],
  [{ url: "ws://127.0.0.1:18790", transport: "ssh" }],
])("%j opens no tunnel: the user runs one", (remote) => {
  const target = resolve({ config: remoteConfig(remote) });
  expect(target).toMatchObject({ url: "ws://127.0.0.1:18790", kind: "remote" });
  expect(target).not.toHaveProperty("via");
});

test("the pin goes with a wss URL through SSH", () => {
  const remote = ssh({ url: "wss://gw.example", tlsFingerprint: pin });
  expect(resolve({ config: remoteConfig(remote) }).tlsFingerprint).toEqual([shownPin]);
});

test.each([
  [{ url: "ssh://me@box", transport: "direct" }, "gateway.remote.transport"],
  [{ url: "ssh://me@box", sshTarget: "me@other" }, "gateway.remote.sshTarget"],
])("%j leads to the URL, with a word about %s", (remote, key) => {
  const target = resolve({ config: remoteConfig(remote) });
  expect(target).toMatchObject({ via: SSH, warning: expect.stringContaining(key) });
});

test("another spelling of the port is another key, since ssh_config may lead it elsewhere", () => {
  const keyOf = (url: string) => resolve({ flags: { url } }).endpointKey;
  const keys = ["box", "box:22", "me@box", "ssh://box/18790", "ssh://other"].map(keyOf);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keyOf("ssh://box/18789")).toBe(keyOf("box"));
});

test("plaintext through SSH is no plaintext", () => {
  const config = remoteConfig(ssh({ url: "ws://gw.example" }));
  expect(() => resolve({ config })).not.toThrow();
  expect(() => resolve({ config: remoteConfig({ url: "ws://gw.example" }) })).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("ssh://user@gw.example") }),
  );
});

test.each([
  ["me:secret@box", /password/u],
  ["-oProxyCommand=x", /begins with/u],
])("the SSH target %j is refused, and key, file and cure are named", (sshTarget, fault) => {
  const config = remoteConfig({ sshTarget });
  expect(() => resolve({ config })).toThrow(
    expect.objectContaining({
      code: "INVALID_SSH_TARGET",
      message: expect.stringMatching(/^gateway\.remote\.sshTarget (?!.*secret)/u),
      hint: expect.stringMatching(/me@box.*\/c\/openclaw\.json/u),
    }),
  );
  expect(() => resolve({ config })).toThrow(fault);
});

test.each([
  [ssh({ url: "ws://box.local" }), "gateway.remote.sshTarget"],
  [ssh({ sshTarget: undefined }), "gateway.remote.sshTarget"],
  [ssh({}), "gateway.remote.url"],
])("%j with a variable missing at %s is refused, not led elsewhere", (remote, path) => {
  const unresolved = [{ path, name: "BOX" }];
  const config = remoteConfig({
    ...remote,
    ...(path.endsWith("Target") && { sshTarget: undefined }),
  });
  expect(() => resolve({ config, unresolved })).toThrow(
    expect.objectContaining({
      code: "REMOTE_URL_MISSING",
      message: expect.stringMatching(
        new RegExp(`${path.replaceAll(".", "\\.")}.*\\$\\{BOX\\}`, "u"),
      ),
    }),
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

test.each(["gateway.remote.tlsFingerprint", "gateway.remote.tlsFingerprint[0]"])(
  "a pin that refers to a missing variable is no reason to go on without one: %s",
  (path) => {
    const config = { gateway: { mode: "remote", remote: { url: "wss://gateway.example" } } };
    const unresolved = [{ path, name: "PIN" }];
    expect(() => resolveGatewayTarget({ env: {}, config, unresolved })).toThrow(
      expect.objectContaining({ code: "INVALID_TLS_PIN" }),
    );
  },
);
