import { writeRunToken } from "@openclaw/app-kit";
import type { LooseConfig } from "@openclaw/config";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import type { SavedGateway } from "./node-file.ts";
import { chooseCredentials, chooseTarget, type NodeRunFlags } from "./node-target.ts";

const PIN_HEX = "ab".repeat(32);
const PIN = "AB:".repeat(31) + "AB";
const KEY_PIN = `sha256//${"A".repeat(43)}=`;

interface Case {
  flags?: NodeRunFlags;
  saved?: SavedGateway;
  config?: Record<string, unknown>;
  env?: Record<string, string>;
}

function looseOf({ config = {}, env = {} }: Case): LooseConfig {
  return { path: "/c", exists: true, config, env, includes: [], unresolved: [], warnings: [] };
}

function choose(input: Case) {
  const { flags = {}, saved = {} } = input;
  return chooseTarget({ flags, saved, loose: looseOf(input), configPath: "/c", cwd: "/home/me" });
}

function credentials(input: Case, stateDir = "/no-state") {
  const { flags = {} } = input;
  const { token, password } = chooseCredentials(flags, choose(input), looseOf(input), stateDir);
  return { token, password };
}

test("without a word it is the Gateway of this machine", () => {
  expect(choose({})).toMatchObject({ url: "ws://127.0.0.1:18789", kind: "local", save: {} });
  expect(choose({ env: { OPENCLAW_GATEWAY_PORT: "4000" } }).url).toBe("ws://127.0.0.1:4000");
});

test("flags are kept, and a kept Gateway is used when no flag names one", () => {
  const first = choose({
    flags: { host: "10.0.0.2", port: "4000", tls: true, tlsFingerprint: [PIN_HEX] },
  });
  expect(first.url).toBe("wss://10.0.0.2:4000");
  expect(first.save).toEqual({ host: "10.0.0.2", port: 4000, tls: true, tlsFingerprint: PIN });
  const again = choose({ saved: first.save });
  expect(again).toMatchObject({ url: first.url, tlsFingerprint: [PIN], urlSource: "node.json" });
  const plain = choose({ saved: first.save, flags: { tls: false } });
  expect(plain.url).toBe("ws://10.0.0.2:4000");
  expect(plain.save).toEqual({ host: "10.0.0.2", port: 4000, tls: false });
});

test.each<[NodeRunFlags, string]>([
  [{ host: "10.0.0.2" }, "cli --host, TLS and pin of node.json"],
  [{ host: "10.0.0.2", tls: true }, "cli --host, pin of node.json"],
  [{ host: "10.0.0.2", tlsFingerprint: [PIN_HEX] }, "cli --host, TLS of node.json"],
  [{ host: "10.0.0.2", tls: false }, "cli --host"],
  [{ host: "10.0.0.3" }, "cli --host"],
])("with %o it says what it still knows of that host", (flags, urlSource) => {
  const saved = { host: "10.0.0.2", port: 4000, tls: true, tlsFingerprint: PIN };
  expect(choose({ saved, flags }).urlSource).toBe(urlSource);
});

test("what was kept of one host says nothing about another", () => {
  const saved = { host: "10.0.0.2", port: 4000, tls: true, tlsFingerprint: PIN };
  expect(choose({ saved, flags: { host: "10.0.0.3" } })).toMatchObject({
    url: "ws://10.0.0.3:18789",
    tlsFingerprint: undefined,
  });
});

test("a pin stays with host and port, and goes to no other", () => {
  const saved = { host: "10.0.0.2", port: 4000, tls: true, tlsFingerprint: [PIN, KEY_PIN] };
  const elsewhere: NodeRunFlags[] = [
    { host: "10.0.0.2", port: "4001" },
    { host: "10.0.0.3", port: "4000", tls: true },
    { url: "wss://10.0.0.2:4000" },
    { ssh: "me@10.0.0.2" },
  ];
  for (const flags of elsewhere) expect(choose({ saved, flags }).tlsFingerprint).toBeUndefined();
  for (const flags of [{}, { host: "10.0.0.2" }, { port: "4000" }]) {
    const target = choose({ saved, flags });
    expect(target.tlsFingerprint).toEqual([PIN, KEY_PIN]);
    expect(target.save).toEqual(saved);
  }
});

test("a pin that is given goes before one that is kept or configured", () => {
  const flags = { tlsFingerprint: [KEY_PIN] };
  const saved = { host: "10.0.0.2", port: 4000, tls: true, tlsFingerprint: PIN };
  expect(choose({ saved, flags })).toMatchObject({
    tlsFingerprint: [KEY_PIN],
    save: { tlsFingerprint: KEY_PIN },
  });
  const remote = { url: "wss://gw.example", tlsFingerprint: PIN };
  const config = { gateway: { mode: "remote", remote } };
  expect(choose({ config, flags }).tlsFingerprint).toEqual([KEY_PIN]);
});

test.each<[NodeRunFlags, SavedGateway]>([
  [{ tlsFingerprint: ["ab"] }, {}],
  [{ host: "10.0.0.2", tlsFingerprint: [PIN_HEX] }, {}],
  [{ ssh: "me@box", tlsFingerprint: [PIN_HEX] }, {}],
  [{ host: "10.0.0.2", tls: true, tlsFingerprint: [PIN_HEX, PIN_HEX, PIN_HEX] }, {}],
  [{}, { host: "10.0.0.2", tls: true, tlsFingerprint: "ab" }],
])("the pin of %j, with %j kept, cannot be held to and is refused", (flags, saved) => {
  expect(() => choose({ flags, saved })).toThrow(
    expect.objectContaining({ code: "INVALID_TLS_PIN" }),
  );
});

test.each<[NodeRunFlags, SavedGateway]>([
  [{ host: "gw.example" }, {}],
  [{ url: "ws://8.8.8.8:18789" }, {}],
  [{}, { host: "gw.example", port: 80 }],
])(
  "plaintext for %j, with %j kept, is refused before anything is kept or dialled",
  (flags, saved) => {
    expect(() => choose({ flags, saved })).toThrow(
      expect.objectContaining({ code: "INSECURE_URL" }),
    );
    const env = { OPENCLAW_ALLOW_INSECURE_PRIVATE_WS: "1" };
    expect(choose({ flags, saved, env }).url).toMatch(/^ws:/);
  },
);

test("a URL is taken as a whole, its path with it", () => {
  const target = choose({ flags: { url: "wss://gw.example/openclaw" } });
  expect(target.save).toMatchObject({
    host: "gw.example",
    port: 443,
    tls: true,
    contextPath: "/openclaw",
  });
  expect(choose({ saved: target.save }).url).toContain("/openclaw");
  expect(() => choose({ flags: { url: "wss://gw.example", host: "x" } })).toThrow(
    /cannot be combined/,
  );
});

test("a port that is none is refused", () => {
  expect(() => choose({ flags: { port: "0" } })).toThrow(/--port wants an integer/);
});

test("this machine's secret stays on this machine; what the environment has goes where it was pointed", () => {
  const config = {
    gateway: { auth: { token: "of-this-gateway" }, remote: { token: "of-the-remote" } },
  };
  expect(credentials({ config })).toEqual({ token: "of-this-gateway" });
  expect(credentials({ config, flags: { host: "10.0.0.2" } })).toEqual({});
  const env = { OPENCLAW_GATEWAY_TOKEN: "of-the-environment" };
  expect(credentials({ config, env, flags: { host: "10.0.0.2" } })).toEqual({
    token: "of-the-environment",
  });
  expect(credentials({ config, env, flags: { token: "of-the-flag" } })).toEqual({
    token: "of-the-flag",
  });
});

test("in remote mode the configured Gateway is served with its own token and pin", () => {
  const remote = { url: "wss://gw.example", token: "of-the-remote", tlsFingerprint: PIN };
  const config = { gateway: { mode: "remote", remote } };
  expect(choose({ config })).toMatchObject({ kind: "remote", tlsFingerprint: [PIN] });
  expect(credentials({ config })).toEqual({ token: "of-the-remote" });
});

test("a name that only looks like this machine is another machine, and gets none of its secrets", () => {
  const config = { gateway: { auth: { token: "of-this-gateway" } } };
  const flags = { host: "127.evil.example", tls: true };
  expect(choose({ config, flags }).kind).toBe("url-flag");
  expect(credentials({ config, flags })).toEqual({});
  for (const host of ["127.0.0.1", "127.3.2.1", "localhost", "::1", "[::1]"]) {
    expect(choose({ config, flags: { host } }).kind).toBe("local");
  }
});

test("a port that is the scheme's own is kept, also over a restart", () => {
  for (const flags of [{ url: "ws://10.0.0.2:80" }, { host: "10.0.0.2", port: "80" }]) {
    const first = choose({ flags });
    expect(first).toMatchObject({ url: "ws://10.0.0.2:80", save: { port: 80 } });
    expect(choose({ saved: first.save }).url).toBe("ws://10.0.0.2:80");
  }
});

test("the run token of this machine's Gateway goes to its port, and never to a URL", async () => {
  await using state = await temporaryDirectory();
  const remove = writeRunToken(state.path, { token: "of-the-run", port: 18_789, pid: 1 });
  const token = (input: Case) => credentials(input, state.path).token;
  expect(token({})).toBe("of-the-run");
  expect(token({ flags: { host: "127.0.0.1" } })).toBe("of-the-run");
  expect(token({ flags: { host: "127.0.0.1", port: "4000" } })).toBeUndefined();
  expect(token({ flags: { url: "ws://127.0.0.1:18789" } })).toBeUndefined();
  expect(token({ env: { OPENCLAW_GATEWAY_PASSWORD: "p" } })).toBeUndefined();
  const remote = { mode: "remote", remote: { url: "ws://127.0.0.1:18789" } };
  expect(token({ config: { gateway: remote } })).toBeUndefined();
  remove();
  expect(token({})).toBeUndefined();
});

test("a URL gets nothing of the config's, not even on this machine: it may lead through a tunnel", () => {
  const config = { gateway: { auth: { token: "this machine's" } } };
  const flags = { url: "ws://127.0.0.1:18789" };
  expect(credentials({ flags, config }).token).toBeUndefined();
  expect(credentials({ flags: { port: "18789" }, config }).token).toBe("this machine's");
});

test("--ssh names the way, and everything that was said of it is kept", () => {
  const first = choose({
    flags: {
      ssh: "me@box:2222",
      remotePort: "19000",
      sshIdentity: "keys/id",
      sshHostKey: "SHA256:x",
    },
  });
  expect(first).toMatchObject({
    url: "ws://127.0.0.1:19000",
    urlSource: "cli --ssh",
    via: { target: "me@box:2222", identity: "/home/me/keys/id", hostKeyPolicy: "strict" },
    endpointKey: "ssh://me@box:2222/19000",
  });
  expect(first.save).toEqual({
    ssh: {
      target: "me@box:2222",
      remotePort: 19_000,
      identity: "/home/me/keys/id",
      hostKey: "SHA256:x",
    },
  });
  const again = choose({ saved: first.save });
  expect(again).toMatchObject({ urlSource: "node.json", via: first.via, save: first.save });
});

test("--ssh reads what ssh does, and a URL of it says the same", () => {
  for (const flags of [{ ssh: "ssh://me@box/19000" }, { url: "ssh://me@box/19000" }]) {
    expect(choose({ flags })).toMatchObject({
      via: { target: "me@box", remotePort: 19_000 },
      save: { ssh: { target: "me@box", remotePort: 19_000 } },
    });
  }
  expect(choose({ flags: { ssh: "box" } }).via).toMatchObject({
    target: "box",
    remotePort: 18_789,
  });
  expect(() => choose({ flags: { ssh: "-oProxyCommand=x" } })).toThrow(/--ssh .*begins with "-"/);
});

test("accept-new holds for one run; --host leads away from SSH", () => {
  const first = choose({ flags: { ssh: "me@box", acceptNew: true } });
  expect(first.via?.hostKeyPolicy).toBe("accept-new");
  expect(choose({ saved: first.save }).via?.hostKeyPolicy).toBe("strict");
  const away = choose({ saved: first.save, flags: { host: "10.0.0.2" } });
  expect(away.via).toBeUndefined();
  expect(away.save).toEqual({ host: "10.0.0.2", port: 18_789, tls: false });
});

test("flags that cannot be meant together are refused", () => {
  expect(() => choose({ flags: { ssh: "me@box", port: "1" } })).toThrow(/--ssh .* --port/);
  expect(() => choose({ flags: { sshIdentity: "id" } })).toThrow(/--ssh-identity is for a Gateway/);
});

test("over SSH only the environment and flags give a secret, but for the Gateway of the config", () => {
  const remote = { sshTarget: "me@box", transport: "ssh", token: "of-the-remote" };
  const config = { gateway: { mode: "remote", auth: { token: "of-this-gateway" }, remote } };
  expect(choose({ config })).toMatchObject({ kind: "remote", via: { target: "me@box" }, save: {} });
  expect(credentials({ config })).toEqual({ token: "of-the-remote" });
  const flags = { ssh: "me@box" };
  expect(credentials({ config, flags })).toEqual({});
  const env = { OPENCLAW_GATEWAY_TOKEN: "of-the-environment" };
  expect(credentials({ config, flags, env })).toEqual({ token: "of-the-environment" });
});
