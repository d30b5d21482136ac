import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Env } from "./env.ts";
import { loadConfig } from "./load-config.ts";
import { readConfigLoosely } from "./read-config.ts";

async function createFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "config-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "openclaw.json");
  await writeFile(path, text);
  return path;
}

async function load(text: string, env: Env = {}) {
  return await loadConfig({ path: await createFile(text), env });
}

async function issuesOf(text: string) {
  const result = await load(text);
  return result.ok ? [] : result.issues;
}

test("a missing file is an empty config", async () => {
  const path = "/nonexistent/openclaw.json";
  expect(await loadConfig({ path, env: {} })).toMatchObject({
    ok: true,
    exists: false,
    config: {},
  });
});

test("an empty file is an empty config that exists", async () => {
  expect(await load(" \n")).toMatchObject({ ok: true, exists: true, config: {} });
});

test("a file that cannot be read is an error, never an empty config", async () => {
  const path = await createFile("{}");
  await rm(path);
  await mkdir(path);
  expect(await loadConfig({ path, env: {} })).toMatchObject({
    ok: false,
    issues: [{ kind: "unreadable", path: "<root>" }],
  });
});

test("loose file modes do not matter for reading", async () => {
  const path = await createFile("{}");
  await chmod(path, 0o644);
  expect(await loadConfig({ path, env: {} })).toMatchObject({ ok: true });
});

test("JSON5 is read: comments, single quotes, bare keys, trailing commas, a byte order mark", async () => {
  const text = "\uFEFF// note\n{ gateway: { mode: 'local', port: 0x4965, }, }\n";
  expect(await load(text)).toMatchObject({
    ok: true,
    config: { gateway: { mode: "local", port: 18_789 } },
  });
});

test("a syntax error has line and column", async () => {
  expect(await issuesOf("{\n  gateway: {\n    port: ,\n  }\n}")).toMatchObject([
    {
      kind: "syntax",
      path: "<root>",
      message: "not valid JSON5 at line 3, column 11: invalid character ','",
      line: 3,
      column: 11,
    },
  ]);
});

test.each(["[]", "1", '"text"', "null"])("%s is no config", async (text) => {
  expect(await issuesOf(text)).toMatchObject([{ kind: "invalid-value", path: "<root>" }]);
});

test.each([
  ["{gateway: {prot: 1}}", "gateway.prot", "gateway.port"],
  ["{gatway: {}}", "gatway", "gateway"],
  ["{gateway: {auth: {pasword: 'x'}}}", "gateway.auth.pasword", "gateway.auth.password"],
  // The same word elsewhere in the tree, and keys of earlier releases.
  ["{port: 1}", "port", "gateway.port"],
  ["{gateway: {token: 'x'}}", "gateway.token", "gateway.auth.token"],
  ["{telegram: {}}", "telegram", "channels.telegram"],
])("the unknown key of %s is reported at %s with %s", async (text, path, nearest) => {
  const [issue, ...rest] = await issuesOf(text);
  expect(rest).toEqual([]);
  expect(issue).toMatchObject({ kind: "unknown-key", path, nearest });
  expect(issue?.message).toContain(nearest);
});

test.each([
  ["{gateway: {port: 'x'}}", "gateway.port", 'found "x"; allowed: an integer from 1 to 65535'],
  [
    "{gateway: {port: 70000}}",
    "gateway.port",
    "found number 70000; allowed: an integer from 1 to 65535",
  ],
  [
    "{gateway: {port: Infinity}}",
    "gateway.port",
    "found number Infinity; allowed: an integer from 1 to 65535",
  ],
  [
    "{gateway: {port: 1.5}}",
    "gateway.port",
    "found number 1.5; allowed: an integer from 1 to 65535",
  ],
  [
    "{gateway: {bind: '0.0.0.0'}}",
    "gateway.bind",
    'found "0.0.0.0"; allowed: "loopback", "lan", "tailnet", "auto", "custom"; did you mean "lan"?',
  ],
  ["{gateway: []}", "gateway", "found a list; allowed: an object"],
  [
    "{gateway: {nodes: {commands: {deny: ['a', 1]}}}}",
    "gateway.nodes.commands.deny[1]",
    "found number 1; allowed: a string",
  ],
  [
    "{gateway: {customBindHost: '1.2.3.04'}}",
    "gateway.customBindHost",
    'found "1.2.3.04"; allowed: an IPv4 or IPv6 address',
  ],
  [
    "{gateway: {remote: {url: 'http://x'}}}",
    "gateway.remote.url",
    'found "http://x"; allowed: a ws:// or wss:// URL, or the SSH address of its host, such as ssh://me@box',
  ],
  [
    "{gateway: {remote: {url: 'localhost:18789'}}}",
    "gateway.remote.url",
    'found "localhost:18789"; allowed: a ws:// or wss:// URL, or the SSH address of its host, such as ssh://me@box',
  ],
  [
    "{gateway: {remote: {sshTarget: '-oProxyCommand=x'}}}",
    "gateway.remote.sshTarget",
    'found "-oProxyCommand=x"; allowed: an SSH target such as me@box, box:2222 or an ssh_config alias',
  ],
  [
    "{gateway: {remote: {sshHostKeyPolicy: 'none'}}}",
    "gateway.remote.sshHostKeyPolicy",
    'found "none"; allowed: "strict", "openssh", "accept-new"',
  ],
  [
    "{gateway: {auth: {token: {source: 'env', id: 'X'}}}}",
    "gateway.auth.token",
    "found an object; allowed: a string; secret references are not supported, write ${VARIABLE} instead",
  ],
  [
    "{gateway: {tailscale: {serviceName: 'x'}}}",
    "gateway.tailscale.serviceName",
    "this key is not supported by this version",
  ],
])("%s: %s %s", async (text, path, message) => {
  expect(await issuesOf(text)).toMatchObject([{ path, message }]);
});

test("no message repeats a secret", async () => {
  const text =
    "{gateway: {auth: {token: 12345678, passwrd: 'hunter2'}, remote: {url: 'http://u:pa55@h', edgeAuth: {h: 987654}}}}";
  const issues = await issuesOf(text);
  expect(issues).toHaveLength(4);
  expect(JSON.stringify(issues)).not.toMatch(/12345678|hunter2|pa55|987654/u);
});

test.each([
  ["default loopback", "{gateway: {mode: 'local', auth: {token: 't'}}}"],
  [
    "tutorial A",
    "{gateway: {bind: 'loopback', tailscale: {mode: 'serve', resetOnExit: true}, auth: {mode: 'password'}}}",
  ],
  [
    "a client by tunnel",
    "{gateway: {mode: 'remote', remote: {url: 'ws://127.0.0.1:18789', token: 't'}}}",
  ],
  [
    "a client with a pin",
    `{gateway: {mode: 'remote', remote: {transport: 'direct', url: 'wss://gateway.example.ts.net', tlsFingerprint: '${"AB:".repeat(31)}AB'}}}`,
  ],
  [
    "both names of the node lists",
    "{gateway: {nodes: {allowCommands: ['a'], commands: {deny: ['b']}}}}",
  ],
  [
    "sections that later parts read",
    "{agents: {list: []}, channels: {telegram: {dmPolicy: 'open', allowFrom: ['*']}}, bindings: [], models: {}, meta: {lastTouchedAt: 'x'}, hooks: {enabled: false}, env: {vars: {A: 'b'}, C: 'd'}}",
  ],
])("%s is a valid config", async (_, text) => {
  expect(await issuesOf(text)).toEqual([]);
});

test("variables are replaced; a missing one unsets its key, is reported, and warned about", async () => {
  const text = "{gateway: {auth: {password: '${PW}'}, remote: {token: '${NONE}'}}}";
  expect(await load(text, { PW: "secret" })).toMatchObject({
    ok: true,
    config: { gateway: { auth: { password: "secret" }, remote: {} } },
    unresolved: [{ path: "gateway.remote.token", name: "NONE" }],
    warnings: [expect.stringMatching(/^gateway\.remote\.token refers to \$\{NONE\}/u)],
  });
});

test("the env block feeds variables and never overrides the environment", async () => {
  const text =
    "{env: {vars: {A: 'block', B: '${X}/b'}, C: 'direct'}, gateway: {auth: {token: '${A}${B}${C}'}}}";
  const result = await load(text, { A: "outer", X: "x" });
  expect(result).toMatchObject({
    ok: true,
    config: { gateway: { auth: { token: "outerx/bdirect" } } },
    env: { A: "outer", B: "x/b", C: "direct" },
  });
});

test("the loose reader gives what a broken file still says", async () => {
  const path = await createFile("{gateway: {prot: 1, port: 4000}}");
  expect(await readConfigLoosely({ path, env: {} })).toMatchObject({
    exists: true,
    config: { gateway: { port: 4_000 } },
  });
  await writeFile(path, "{");
  const broken = await readConfigLoosely({ path, env: {} });
  expect(broken).toMatchObject({ exists: true, config: {}, problem: { kind: "syntax", line: 1 } });
});

test("an issue names its file, line and column", async () => {
  const path = await createFile(
    "{\n  gateway: {\n    port: 'x',\n  },\n  agents: { list: [\n    {}, { idd: 1 } ] }\n}",
  );
  const loaded = await loadConfig({ path, env: {} });
  expect(loaded).toMatchObject({
    ok: false,
    issues: [
      { path: "gateway.port", file: path, line: 3, column: 5 },
      { path: "agents.list[1].idd", file: path, line: 6, column: 11 },
    ],
  });
});

test("a tilde in a path is the home directory", async () => {
  const text =
    "{gateway: {tls: {certPath: '~/c.pem'}, remote: {sshIdentity: '~/id'}}, plugins: {load: {paths: ['~/p', '/q']}}, ui: {assistant: {name: '~/no path'}}}";
  expect(await load(text, { HOME: "/home/me" })).toMatchObject({
    config: {
      gateway: { tls: { certPath: "/home/me/c.pem" }, remote: { sshIdentity: "/home/me/id" } },
      plugins: { load: { paths: ["/home/me/p", "/q"] } },
      ui: { assistant: { name: "~/no path" } },
    },
  });
});

test.each([
  ["2026.9.7", "2026.9.6", true],
  ["2027.1.0", "2026.9.6", true],
  ["2026.10.0", "2026.9.6", true],
  ["2026.9.6", "2026.9.6", false],
  ["2026.9.6-beta.1", "2026.9.6", false],
  ["2026.1.30", "2026.9.6", false],
  ["by hand", "2026.9.6", false],
  ["2026.9.7", undefined, false],
])("a file of version %s, read by %s: warned: %s", async (written, version, isWarned) => {
  const path = await createFile(`{meta: {lastTouchedVersion: '${written}'}}`);
  const loaded = await loadConfig({ path, env: {}, version });
  expect(loaded.ok && loaded.warnings.length).toBe(isWarned ? 1 : 0);
});

test.each([
  ["{auth: {token: 't', password: 'p'}}", "the password counts"],
  ["{customBindHost: '10.0.0.1'}", "gateway.customBindHost has no effect"],
  ["{tls: {keyPath: '/k'}}", "gateway.tls names a certificate"],
])("a key without effect is warned about: %s", async (gateway, warning) => {
  expect(await load(`{gateway: ${gateway}}`)).toMatchObject({
    ok: true,
    warnings: [expect.stringContaining(warning)],
  });
});

test("keys of earlier releases are told apart from slips", async () => {
  expect(await load("{telegram: {botToken: 'x'}, gateway: {token: 't', prot: 1}}")).toMatchObject({
    ok: false,
    legacy: [
      { path: "gateway.token", to: "gateway.auth.token" },
      { path: "telegram", to: "channels.telegram" },
    ],
  });
});

test("a config that is nested without end is refused, and nothing runs out of stack", async () => {
  const depth = 50_000;
  expect(await issuesOf(`{a: ${"[".repeat(depth)}${"]".repeat(depth)}}`)).toMatchObject([
    { kind: "syntax", message: "nested deeper than 100 levels" },
  ]);
});

test("names that every object has are variables like any other", async () => {
  const names = ["constructor", "toString", "__proto__"];
  const vars = names.map((name) => `${JSON.stringify(name)}: "x"`).join(", ");
  const result = await load(`{env: {vars: {${vars}}}}`);
  expect(result.ok && Object.hasOwn(result.env, "constructor")).toBe(true);
});

test.each([
  [
    "{gateway: {auth: {trustedProxy: {allowUsers: ['${ADMIN}']}}}}",
    "gateway.auth.trustedProxy.allowUsers[0]",
  ],
  [
    "{gateway: {auth: {trustedProxy: {requiredHeaders: ['a', '${ADMIN}']}}}}",
    "gateway.auth.trustedProxy.requiredHeaders[1]",
  ],
  ["{gateway: {nodes: {commands: {deny: ['${ADMIN}']}}}}", "gateway.nodes.commands.deny[0]"],
  ["{plugins: {allow: ['${ADMIN}']}}", "plugins.allow[0]"],
  ["{agents: {list: [{id: 'a', tools: {deny: ['${ADMIN}']}}]}}", "agents.list[0].tools.deny[0]"],
])(
  "a list that keeps somebody out is not shortened by a missing variable: %s",
  async (text, path) => {
    expect(await issuesOf(text)).toMatchObject([
      { path, line: 1, message: expect.stringContaining("${ADMIN}, which is not set") },
    ]);
    expect(await load(text, { ADMIN: "ada" })).toMatchObject({ ok: true });
  },
);

test.each(["::1", "fd7a:115c:a1e0::1", "192.168.1.5"])(
  "%s is an address to listen on",
  async (host) => {
    expect(await issuesOf(`{gateway: {bind: "custom", customBindHost: "${host}"}}`)).toEqual([]);
  },
);

test("an issue behind an item that is missing for want of a variable is told where it is written", async () => {
  const text = "{gateway: {allowedHosts: [\n'${A}',\n'a.example',\n'${B}',\n5]}}";
  expect(await issuesOf(text)).toMatchObject([{ path: "gateway.allowedHosts[3]", line: 5 }]);
});
