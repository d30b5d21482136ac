import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { editValue } from "../src/edit/edit-text.ts";
import type { JsonObject } from "../src/json.ts";
import { planLegacyKeys } from "../src/migration/legacy-keys.ts";
import { migrateConfigKeys } from "../src/migration/migrate.ts";
import { validateConfig } from "../src/schema/validate.ts";
import { createFolder } from "./support/config-folder.ts";

function rewritten(config: JsonObject): unknown {
  return planLegacyKeys(config).edits.reduce<unknown>(editValue, config);
}

test.each<[string, JsonObject, object]>([
  [
    "gateway.token",
    { gateway: { token: "t" } },
    { gateway: { auth: { token: "t", mode: "token" } } },
  ],
  [
    "gateway.token beside a mode",
    { gateway: { token: "t", auth: { mode: "password" } } },
    { gateway: { auth: { token: "t", mode: "password" } } },
  ],
  [
    "gateway.token beside its successor",
    { gateway: { token: "old", auth: { token: "new" } } },
    { gateway: { auth: { token: "new", mode: "token" } } },
  ],
  ...["whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"].map(
    (channel): [string, JsonObject, object] => [
      channel,
      { [channel]: { enabled: true } },
      { channels: { [channel]: { enabled: true } } },
    ],
  ),
  [
    "telegram beside its successor",
    { telegram: { botToken: "old", historyLimit: 5 }, channels: { telegram: { botToken: "new" } } },
    { channels: { telegram: { botToken: "new", historyLimit: 5 } } },
  ],
  [
    "providers",
    { providers: { telegram: { enabled: true }, discord: { a: 1 } } },
    { channels: { telegram: { enabled: true }, discord: { a: 1 } } },
  ],
  [
    "routing.allowFrom",
    { routing: { allowFrom: ["+1"] } },
    { channels: { whatsapp: { allowFrom: ["+1"] } } },
  ],
  [
    "routing.groupChat.requireMention",
    { routing: { groupChat: { requireMention: false } } },
    { channels: { whatsapp: { groups: { "*": { requireMention: false } } } } },
  ],
  [
    "routing.groupChat of several channels",
    {
      routing: { groupChat: { requireMention: true, mentionPatterns: ["@x"] } },
      telegram: {},
      imessage: {},
    },
    {
      channels: {
        telegram: { groups: { "*": { requireMention: true } } },
        imessage: { groups: { "*": { requireMention: true } } },
      },
      messages: { groupChat: { mentionPatterns: ["@x"] } },
    },
  ],
  [
    "telegram.requireMention",
    { telegram: { requireMention: false } },
    { channels: { telegram: { groups: { "*": { requireMention: false } } } } },
  ],
  [
    "routing.bindings",
    { routing: { bindings: [{ agentId: "a" }] } },
    { bindings: [{ agentId: "a" }] },
  ],
  [
    "routing.agents",
    { routing: { agents: { a: { name: "A" }, b: {} }, defaultAgentId: "b" } },
    {
      agents: {
        list: [
          { id: "a", name: "A" },
          { id: "b", default: true },
        ],
      },
    },
  ],
  [
    "routing.defaultAgentId alone",
    { routing: { defaultAgentId: "z" } },
    { agents: { list: [{ id: "z", default: true }] } },
  ],
  [
    "routing.queue",
    { routing: { queue: { mode: "steer" } } },
    { messages: { queue: { mode: "steer" } } },
  ],
  [
    "identity",
    { identity: { name: "Clawd" } },
    { agents: { list: [{ id: "main", identity: { name: "Clawd" } }] } },
  ],
  [
    "identity of the default agent",
    { identity: { name: "C" }, agents: { list: [{ id: "a" }, { id: "b", default: true }] } },
    { agents: { list: [{ id: "a" }, { id: "b", default: true, identity: { name: "C" } }] } },
  ],
  [
    "agent.model",
    { agent: { model: "anthropic/x", modelFallbacks: ["y"] } },
    { agents: { defaults: { model: { primary: "anthropic/x", fallbacks: ["y"] } } } },
  ],
  [
    "agent.*",
    {
      agent: {
        workspace: "~/w",
        timeoutSeconds: 5,
        bash: { backgroundMs: 1 },
        elevated: { enabled: false },
        tools: { deny: ["x"] },
      },
    },
    {
      agents: { defaults: { workspace: "~/w", timeoutSeconds: 5 } },
      tools: { exec: { backgroundMs: 1 }, elevated: { enabled: false }, deny: ["x"] },
    },
  ],
  [
    "tools.bash",
    {
      tools: { bash: { timeoutSec: 5 } },
      agents: { list: [{ id: "a", tools: { bash: { ask: "off" } } }] },
    },
    {
      tools: { exec: { timeoutSec: 5 } },
      agents: { list: [{ id: "a", tools: { exec: { ask: "off" } } }] },
    },
  ],
  [
    "messages.tts.enabled",
    { messages: { tts: { enabled: true } } },
    { messages: { tts: { auto: "always" } } },
  ],
  ["gateway.bind as an address", { gateway: { bind: "0.0.0.0" } }, { gateway: { bind: "lan" } }],
  ["gateway.bind as a name", { gateway: { bind: "localhost" } }, { gateway: { bind: "loopback" } }],
  [
    "keys without meaning",
    {
      gateway: {
        port: 1,
        channelHealthCheckMinutes: 5,
        channelStaleEventThresholdMinutes: 5,
        channelMaxRestartsPerHour: 1,
        tailscale: { serviceName: "x", mode: "serve" },
      },
    },
    { gateway: { port: 1, tailscale: { mode: "serve" } } },
  ],
])("%s is rewritten", (_, before, after) => {
  const result = rewritten(before);
  expect(result).toEqual(after);
  expect(validateConfig(result)).toMatchObject({ ok: true });
  expect(planLegacyKeys(result as JsonObject)).toEqual({ keys: [], edits: [] });
});

test.each<JsonObject>([
  {},
  {
    gateway: { nodes: { allowCommands: ["a"] }, reload: { mode: "hot" } },
    canvasHost: { port: 1 },
  },
  { gateway: { bind: "constructor" } },
  { gateway: "x", routing: 5, agent: [], providers: "y", identity: null },
])("%j has no keys to move", (config) => {
  expect(
    planLegacyKeys(config).keys.filter(({ to }) => to !== undefined && !to.startsWith("agents.")),
  ).toEqual([]);
});

test("a file keeps its comments, has a backup, and is not written twice", async () => {
  const text = "// mine\n{\n  gateway: {\n    port: 4000, // the port\n    token: 'T',\n  },\n}\n";
  const folder = await createFolder({ "openclaw.json": text });
  const path = join(folder, "openclaw.json");

  const { keys, backupPath } = await migrateConfigKeys(path, {});
  expect(keys).toEqual([
    {
      path: "gateway.token",
      to: "gateway.auth.token",
      message: "this key is now gateway.auth.token",
    },
  ]);
  expect(await readFile(backupPath ?? "", "utf8")).toBe(text);
  const after = await readFile(path, "utf8");
  expect(after).toContain("// mine\n");
  expect(after).toContain("port: 4000, // the port");
  expect(after).not.toMatch(/^ {4}token/mu);

  expect(await migrateConfigKeys(path, {})).toEqual({ keys: [] });
  expect(await readFile(path, "utf8")).toBe(after);
});
