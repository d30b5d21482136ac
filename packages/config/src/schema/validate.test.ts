import { expect, test } from "vitest";
import { configDefaults, applyDefaults, isSecretPath, reloadKind } from "./key-facts.ts";
import type { OpenClawConfig } from "./config-schema.ts";
import { validateConfig } from "./validate.ts";

function problems(config: unknown): string[] {
  const validation = validateConfig(config);
  return validation.ok ? [] : validation.issues.map(({ path, message }) => `${path}: ${message}`);
}

const hex = "ab".repeat(32);
const key = `sha256//${"A".repeat(43)}=`;

test.each<[string, unknown, boolean]>([
  ["a pin in hex", hex, true],
  ["a pin with colons", "AB:".repeat(31).concat("AB"), true],
  ["the pin of a key", key, true],
  ["two pins", [hex, key], true],
  ["one in a list", [key], true],
  ["three", [hex, hex, hex], false],
  ["none", [], false],
  ["SHA-1", "ab".repeat(20), false],
  ["base64 that is too short", "sha256//AAAA", false],
  ["a number", 7, false],
])("gateway.remote.tlsFingerprint takes %s: %s: %s", (_, tlsFingerprint, isOk) => {
  expect(validateConfig({ gateway: { remote: { tlsFingerprint } } }).ok).toBe(isOk);
});

test.each<[string, object, string]>([
  ["channels.telegram", { dmPolicy: "open" }, "channels.telegram.allowFrom"],
  ["channels.telegram", { dmPolicy: "open", allowFrom: ["123"] }, "channels.telegram.allowFrom"],
  [
    "channels.whatsapp",
    { accounts: { a: { dmPolicy: "open" } } },
    "channels.whatsapp.accounts.a.allowFrom",
  ],
])("%s open to everybody needs the star: %j", (section, value, path) => {
  const config = { channels: { [section.split(".")[1] ?? ""]: value } };
  expect(problems(config)).toEqual([expect.stringMatching(`^${path.replaceAll(".", "\\.")}: `)]);
});

test.each<[object, string[]]>([
  [
    {
      list: [
        { id: "a", agentDir: "/x" },
        { id: "b", agentDir: "/x/" },
      ],
    },
    ["agents.list[1].agentDir"],
  ],
  [{ list: [{ id: "a" }, { id: "A" }] }, ["agents.list[1].id"]],
  [{ list: [{ id: "a" }, { id: "b" }, {}] }, []],
])("agents in one folder are refused: %j", (agents, paths) => {
  expect(problems({ agents }).map((line) => line.split(":")[0])).toEqual(paths);
});

test.each<[unknown, string]>([
  [{ browser: { profiles: { work: { color: "#FF4500" } } } }, "browser.profiles.work"],
  [{ browser: { profiles: { Work: { cdpPort: 1 } } } }, "browser.profiles.Work"],
  [{ hooks: { enabled: true } }, "hooks.token"],
  [{ hooks: { path: "/" } }, "hooks.path"],
  [{ gateway: { tls: { enabled: true, cert: "x" } } }, "gateway.tls.cert"],
  [{ tools: { exec: { host: "nowhere" } } }, "tools.exec.host"],
  [{ logging: { level: "loud" } }, "logging.level"],
  [{ env: { vars: { A: 1 } } }, "env.vars.A"],
  [{ env: { A: 1 } }, "env.A"],
  [{ session: { agentToAgent: { maxPingPongTurns: 6 } } }, "session.agentToAgent.maxPingPongTurns"],
  [{ models: { providers: { x: { api: "telepathy" } } } }, "models.providers.x.api"],
  [{ bindings: [{ match: { peer: { kin: "dm" } } }] }, "bindings[0].match.peer.kin"],
  [{ broadcast: { peer: [1] } }, "broadcast.peer[0]"],
  [{ web: { reconnect: { jitter: 2 } } }, "web.reconnect.jitter"],
  [{ gateway: { reload: { debounceMs: -1 } } }, "gateway.reload.debounceMs"],
  [
    { gateway: { http: { securityHeaders: { strictTransportSecurity: true } } } },
    "gateway.http.securityHeaders.strictTransportSecurity",
  ],
])("%j is refused at %s", (config, path) => {
  expect(problems(config).map((line) => line.slice(0, path.length + 1))).toEqual([`${path}:`]);
});

test.each<[string, object]>([
  ["channels of extensions", { channels: { matrix: { anything: [1] } } }],
  ["settings of extensions", { plugins: { entries: { x: { config: { a: { b: 1 } } } } } }],
  ["settings of skills", { skills: { entries: { x: { config: { a: 1 }, env: { B: "" } } } } }],
  [
    "parameters of models",
    { agents: { defaults: { models: { "openai/gpt-4.1": { params: { t: 1 } } } } } },
  ],
  ["variables", { env: { A: "", vars: { B: "x" }, shellEnv: { enabled: true } } }],
  ["an address for bind custom", { gateway: { bind: "custom", customBindHost: "10.0.0.1" } }],
  [
    "nodes under both names",
    { gateway: { nodes: { allowCommands: ["a"], commands: { deny: ["b"] } } } },
  ],
  [
    "keys that onboarding of other releases writes",
    {
      agents: { entries: { main: { name: "main", identity: { name: "main" } } } },
      meta: { migrations: { modelPolicyAllowlist: true }, lastTouchedVersion: "2026.9.6" },
      plugins: { entries: { codex: { config: { sessionCatalog: { enabled: false } } } } },
      hooks: { internal: { entries: { "session-memory": { enabled: true } } } },
      tools: { profile: "full" },
    },
  ],
  [
    "keys of parts that this program does not have, at any depth",
    {
      mcp: { servers: {} },
      models: { providers: { x: { models: [{ contextTokens: 1, cost: { tieredPricing: [] } }] } } },
      bindings: [{ type: "route", match: { roles: ["a"] } }],
      agents: { defaults: { models: { "openai/gpt-4.1": { codeMode: true } } } },
    },
  ],
  ["a model by name", { agents: { defaults: { model: "openai/gpt-4o-mini" } } }],
])("%s are valid", (_, config) => {
  expect(problems(config)).toEqual([]);
});

test.each([
  [{ accessGroups: {} }, "accessGroups"],
  [{ tools: { exec: { mode: "deny" } } }, "tools.exec.mode"],
  [{ gateway: { roles: {} } }, "gateway.roles"],
])("%j could allow more when it is ignored, and is refused", (config, path) => {
  expect(problems(config)).toEqual([`${path}: this key is not supported by this version`]);
});

test("nobody is pointed to a key that only other releases know", () => {
  expect(problems({ mpc: {} })).toEqual([expect.not.stringMatching(/mcp|transcripts/)]);
});

test.each([
  { gateway: "a-secret-of-mine" },
  { gateway: { auth: "a-secret-of-mine" } },
  { gateway: { remote: { edgeAuth: "a-secret-of-mine" } } },
  { models: { providers: "a-secret-of-mine" } },
  { gateway: { remote: { url: "http://h/?token=a-secret-of-mine" } } },
])("%j is refused without repeating what may be a secret", (config) => {
  const validation = validateConfig(config);
  expect(validation.ok).toBe(false);
  expect(JSON.stringify(validation)).not.toContain("a-secret-of-mine");
});

test("of thousands of problems the first hundred are told", () => {
  const config = { gateway: { trustedProxies: Array.from({ length: 5000 }, () => 1) } };
  expect(problems(config)).toHaveLength(100);
});

test("a key with a dot in it is written so that it can be read back", () => {
  const config = { agents: { defaults: { models: { "openai/gpt-4.1": { alias: 1 } } } } };
  expect(problems(config)).toEqual([
    "agents.defaults.models.openai/gpt-4\\.1.alias: found number 1; allowed: a string",
  ]);
});

// The table of prefixes in the documentation; the first one that fits counts.
test.each([
  ["gateway.remote.url", "none"],
  ["gateway.reload.mode", "none"],
  ["hooks.gmail.account", "hot"],
  ["hooks.token", "hot"],
  ["agents.defaults.heartbeat.every", "hot"],
  ["agents.defaults.model", "none"],
  ["cron.enabled", "hot"],
  ["browser.headless", "hot"],
  ["channels.telegram.botToken", "hot"],
  ["channels.matrix.server", "hot"],
  ["channels.whatsapp.allowFrom", "none"],
  ["web.reconnect.maxMs", "hot"],
  ["logging.level", "none"],
  ["models.providers.x.baseUrl", "none"],
  ["tools.exec.host", "none"],
  ["bindings[0].agentId", "none"],
  ["audio.x", "none"],
  ["messages.queue", "none"],
  ["session.scope", "none"],
  ["talk.voiceId", "none"],
  ["skills.load.watch", "none"],
  ["ui.seamColor", "none"],
  ["wizard.lastRunAt", "none"],
  ["plugins.enabled", "restart"],
  ["gateway.port", "restart"],
  ["gateway.auth.token", "restart"],
  ["gateway.tls.enabled", "restart"],
  ["discovery.mdns.mode", "restart"],
  ["canvasHost.port", "restart"],
  ["env.vars.A", "restart"],
  ["nothing.known.here", "restart"],
  ["gateway.remote.nothing", "none"],
])("a change of %s: %s", (path, kind) => {
  expect(reloadKind(path)).toBe(kind);
});

test.each([
  ["gateway.auth.token", true],
  ["gateway.auth.password", true],
  ["gateway.auth.mode", false],
  ["gateway.remote.edgeAuth.x-key", true],
  ["gateway.remote.edgeAuth", true],
  ["channels.telegram.botToken", true],
  ["channels.telegram.tokenFile", false],
  ["channels.telegram.accounts.work.webhookSecret", true],
  ["channels.matrix.accessToken", true],
  ["channels.matrix.server", false],
  ["models.providers.x.apiKey", true],
  ["models.providers.x.models[0].maxTokens", false],
  ["env.vars.ANYTHING", true],
  ["env.ANYTHING", true],
  ["env.shellEnv.enabled", false],
  ["plugins.entries.x.config.apiKey", true],
  ["plugins.entries.x.config.color", false],
  ["hooks.token", true],
  ["talk.apiKey", true],
  ["talk.providers.x.apiKey", true],
  ["mcp.servers.x.env.API_TOKEN", true],
  ["agents.entries.main.name", false],
])("%s is a secret: %s", (path, isSecret) => {
  expect(isSecretPath(path)).toBe(isSecret);
});

test("every default is a value that the schema allows", () => {
  expect(problems(configDefaults())).toEqual([]);
});

test("defaults fill in what is missing, and make no channel of their own", () => {
  const given: OpenClawConfig = { gateway: { port: 4000 }, channels: { telegram: {} } };
  const filled = applyDefaults(given);
  expect(given).toEqual({ gateway: { port: 4000 }, channels: { telegram: {} } });
  expect(filled).toMatchObject({
    gateway: {
      port: 4000,
      bind: "loopback",
      tailscale: { mode: "off" },
      tls: { autoGenerate: true },
    },
    channels: { telegram: { dmPolicy: "pairing", enabled: true } },
    logging: { level: "info" },
    tools: { exec: { timeoutSec: 1800 } },
  });
  expect(filled.channels).not.toHaveProperty("whatsapp");
  expect(filled.gateway?.auth).not.toHaveProperty("trustedProxy");
});

test("what an account or an agent leaves out comes from above it, not from the defaults", () => {
  const config = {
    channels: { telegram: { dmPolicy: "disabled", accounts: { a: {} } } },
    agents: { list: [{ id: "a", tools: { exec: {} } }] },
  } as const;
  const filled = applyDefaults({ ...config, agents: { list: [...config.agents.list] } });
  expect(filled.channels?.telegram?.accounts).toEqual({ a: {} });
  expect(filled.agents?.list).toEqual([{ id: "a", tools: { exec: {} } }]);
});
