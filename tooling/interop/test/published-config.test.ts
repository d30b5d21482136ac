import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startProcess, temporaryDirectory } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";
import {
  connectPublishedClient,
  createFrameAuditor,
  openDoor,
  type PublishedClient,
  type PublishedClientOptions,
} from "../src/index.ts";

const MAIN = fileURLToPath(new URL("../../../apps/gateway/src/main.ts", import.meta.url));
const TOKEN = "interop-secret-0123456789abcdef";
const TEXT = `{
  // mine
  gateway: { mode: "local", auth: { token: "${TOKEN}" }, allowRealIpFallback: true },
}
`;

interface Snapshot {
  path: string;
  raw: string;
  valid: boolean;
  hash: string;
  config: { gateway: Record<string, unknown> };
  issues: unknown[];
}

interface Changed {
  ok: boolean;
  hash: string;
  changedPaths: string[];
}

interface Tail {
  file: string;
  cursor: number;
  lines: string[];
}

/** The program itself, with everything that it adds; each of its frames is held to the contract. */
async function setup(text = TEXT) {
  const home = await temporaryDirectory("openclaw-interop-");
  onTestFinished(() => home[Symbol.asyncDispose]());
  const configPath = home.file(".openclaw", "openclaw.json");
  await mkdir(dirname(configPath), { recursive: true, mode: 0o700 });
  await writeFile(configPath, text, { mode: 0o600 });
  const port = await freePort();
  const args = ["--conditions=@openclaw/source", MAIN, "--port", String(port)];
  const child = startProcess(process.execPath, args, {
    cwd: home.path,
    env: { HOME: home.path, NO_COLOR: "1" },
  });
  onTestFinished(() => child[Symbol.asyncDispose]());
  await child.line(/gateway listening/, { deadlineMs: 60_000 });

  const auditor = createFrameAuditor();
  const door = await openDoor({ targetPort: port, frameSent: auditor.frameSent });
  const clients: PublishedClient[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.stop()));
    await door[Symbol.asyncDispose]();
    auditor.assertClean();
  });
  return async (options: PublishedClientOptions): Promise<PublishedClient> => {
    const client = await connectPublishedClient({
      token: TOKEN,
      auditor,
      url: door.url,
      ...options,
    });
    clients.push(client);
    return client;
  };
}

test("the published client reads, patches and replaces the config, and hears of it", async () => {
  const connect = await setup();
  const admin = await connect({ scopes: ["operator.admin"] });
  const before = await admin.request<Snapshot>("config.get", {});
  expect(before).toMatchObject({ valid: true, issues: [], hash: expect.any(String) });
  expect(JSON.stringify(before)).not.toContain(TOKEN);

  const patched = await admin.request<Changed>("config.patch", {
    raw: "{ gateway: { allowRealIpFallback: false } }",
    baseHash: before.hash,
    note: "from elsewhere",
    sessionKey: "main",
    deliveryContext: { channel: "web", to: "me" },
    restartDelayMs: 0,
    replacePaths: ["gateway.allowRealIpFallback"],
  });
  expect(patched).toMatchObject({ ok: true, changedPaths: ["gateway.allowRealIpFallback"] });
  const told = await admin.event("config.changed");
  expect(told.payload).toEqual({
    path: before.path,
    hash: patched.hash,
    ts: expect.any(Number),
  });

  // What it read, with its secrets hidden, written back as it is.
  const after = await admin.request<Snapshot>("config.get", {});
  expect(after).toMatchObject({ hash: patched.hash, raw: expect.stringContaining("// mine") });
  expect(after.config.gateway["allowRealIpFallback"]).toBe(false);
  const whole = { raw: after.raw, baseHash: after.hash };
  expect(await admin.request<Changed>("config.apply", whole)).toMatchObject({ ok: true });
  const applied = await admin.request<Snapshot>("config.get", {});
  const set = { raw: applied.raw, baseHash: applied.hash };
  expect(await admin.request("config.set", set)).toMatchObject({ ok: true });
  // The secret is still the one that lets it in.
  const again = await connect({ scopes: ["operator.read"] });
  expect(await again.request("health")).toMatchObject({ ok: true });
}, 60_000);

test("the published client is told why a change is refused in the published words", async () => {
  const connect = await setup();
  const admin = await connect({ scopes: ["operator.admin"] });
  const raw = '{ "gateway": { "port": 19001 } }';
  await expect(admin.request("config.patch", { raw })).rejects.toThrow(
    "config base hash required; re-run config.get and retry",
  );
  await expect(admin.request("config.patch", { raw, baseHash: "former" })).rejects.toThrow(
    "config changed since last load; re-run config.get and retry",
  );
  const { hash: baseHash } = await admin.request<Snapshot>("config.get", {});
  const wrong = { raw: '{ "gateway": { "port": "x" } }', baseHash };
  await expect(admin.request("config.set", wrong)).rejects.toMatchObject({
    message: expect.stringMatching(/invalid config: gateway\.port: /),
    details: { issues: [{ path: "gateway.port", message: expect.any(String) }] },
  });
  await expect(admin.request("config.get", { x: 1 })).rejects.toThrow(
    "invalid config.get params: at root: unexpected property 'x'",
  );
  const reader = await connect({ scopes: ["operator.read"] });
  await expect(reader.request("config.set", { raw, baseHash })).rejects.toThrow(
    "missing scope: operator.admin",
  );
}, 60_000);

test("the published client reads the schema of the config, whole and key by key", async () => {
  const connect = await setup();
  const reader = await connect({ scopes: ["operator.read"] });
  expect(await reader.request("config.schema", {})).toMatchObject({
    schema: { type: "object" },
    uiHints: { "gateway.auth.token": { sensitive: true } },
  });
  for (const path of [
    ".",
    "gateway",
    "gateway.remote",
    "gateway.auth.token",
    "agents.list.0",
    "agents.list.*",
  ]) {
    // oxlint-disable-next-line no-await-in-loop
    const place = await reader.request("config.schema.lookup", { path });
    expect(place).toMatchObject({ path: expect.any(String), children: expect.any(Array) });
  }
  await expect(reader.request("config.schema.lookup", { path: "gateway.prot" })).rejects.toThrow(
    "config path not found",
  );
}, 60_000);

test("the published client reads the log to its end and on", async () => {
  const connect = await setup();
  const reader = await connect({ scopes: ["operator.read"] });
  const start = await reader.request<Tail>("logs.tail", { limit: 500, maxBytes: 250_000 });
  expect(start.lines.join("\n")).toContain("gateway listening");
  const rest = await reader.request<Tail>("logs.tail", { cursor: start.cursor, limit: 1 });
  expect(rest).toMatchObject({ file: start.file });
  // A cursor of nowhere begins again.
  expect(await reader.request("logs.tail", { cursor: 999_999_999 })).toMatchObject({ reset: true });
  await expect(reader.request("logs.tail", { limit: 0 })).rejects.toThrow(
    "invalid logs.tail params: at /limit: must be >= 1",
  );
}, 60_000);
