import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { editConfigFile } from "@openclaw/config";
import { createGateway, type Gateway, silentLogger } from "@openclaw/gateway-core";
import { createRawPeer, type RawPeer, temporaryDirectory } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";
import {
  changeRecordPath,
  configMethods,
  createPendingChange,
} from "../src/config-methods/index.ts";
import type { PendingChangeOptions } from "../src/config-methods/pending-change.ts";

const SECRET = "a-secret-that-nobody-may-see";
const TEXT = `{
  // mine
  gateway: { mode: "local", port: 18789, auth: { token: "${SECRET}" } },
}
`;

/** What the tests look at in an answer. */
interface Answer {
  readonly hash: string;
  readonly appliedConfigHash: string;
  readonly raw: string;
  readonly parsed: { readonly gateway: { readonly auth: unknown } };
  readonly children: readonly unknown[];
  readonly pending: { readonly id: string };
}

interface Stand {
  gateway: Gateway;
  configPath: string;
  recordPath: string;
  call(method: string, params?: object): Promise<Answer>;
  read(): Promise<string>;
  clock: { nowMs: number };
  /** Runs what waits for the time. */
  expire(): Promise<void>;
  restartPending(): ReturnType<typeof createPendingChange>;
}

async function stand(text: string | null = TEXT): Promise<Stand> {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  await mkdir(home.file("state", "gateway"), { recursive: true });
  const configPath = home.file("state", "openclaw.json");
  const recordPath = changeRecordPath(home.file("state"));
  if (text !== null) await writeFile(configPath, text);
  const clock = { nowMs: Date.now() };
  const waiting = new Set<() => void>();
  const pendingOptions: PendingChangeOptions = {
    configPath,
    recordPath,
    env: {},
    logger: silentLogger,
    now: () => clock.nowMs,
    schedule(work) {
      waiting.add(work);
      return () => void waiting.delete(work);
    },
  };
  const pending = createPendingChange(pendingOptions);
  const gateway = createGateway({ auth: { mode: "token", token: "t".repeat(24) } });
  onTestFinished(() => gateway.close());
  const methods = configMethods({
    configPath,
    env: {},
    version: "1.2.3",
    broadcast: (event, payload) => gateway.broadcast(event, payload),
    pending,
    now: () => clock.nowMs,
  });
  for (const method of methods) gateway.method(method);
  pending.applied(undefined);
  return {
    gateway,
    configPath,
    recordPath,
    clock,
    // Each method answers with some of these members.
    call: (method, params = {}) => gateway.call(method, params) as Promise<Answer>,
    read: () => readFile(configPath, "utf8"),
    async expire() {
      for (const work of waiting) work();
      await expect.poll(() => pending.ticket).toBeUndefined();
    },
    restartPending: () => createPendingChange(pendingOptions),
  };
}

async function connect(gateway: Gateway, scopes: string[]): Promise<RawPeer> {
  const { url } = gateway.address ?? (await gateway.listen({ port: 0 }));
  const peer = await createRawPeer(url);
  onTestFinished(() => peer[Symbol.asyncDispose]());
  await peer.handshake({ token: "t".repeat(24), scopes });
  return peer;
}

test("config.get tells everything but the secrets", async () => {
  const { call, configPath } = await stand();
  const answer = await call("config.get");
  expect(answer).toMatchObject({
    path: configPath,
    exists: true,
    valid: true,
    issues: [],
    parsed: { gateway: { port: 18_789, auth: { token: "__OPENCLAW_REDACTED__" } } },
    config: { gateway: { auth: { token: "__OPENCLAW_REDACTED__" } } },
    hash: expect.stringMatching(/^hmac-sha256:v1:/),
  });
  expect(answer.raw).toBe(TEXT.replace(SECRET, "__OPENCLAW_REDACTED__"));
  expect(answer.appliedConfigHash).toBe(answer.hash);
  expect(JSON.stringify(answer)).not.toContain(SECRET);
});

test("config.get tells who may only read no comments", async () => {
  const { gateway } = await stand();
  const peer = await connect(gateway, ["operator.read"]);
  const answer = await peer.request("config.get", {});
  expect(JSON.stringify(answer)).not.toContain("mine");
  expect(JSON.stringify(answer)).not.toContain(SECRET);
});

test.each<[string, string | null, object]>([
  ["missing", null, { exists: false, raw: null, valid: true }],
  ["broken", `{ token: "${SECRET}"`, { exists: true, raw: null, valid: false }],
  ["wrong", "{ gateway: { prot: 1 } }", { valid: false, issues: [{ path: "gateway.prot" }] }],
])("config.get of a file that is %s", async (_, text, expected) => {
  const { call } = await stand(text);
  const answer = await call("config.get");
  expect(answer).toMatchObject(expected);
  expect(JSON.stringify(answer)).not.toContain(SECRET);
});

test("a redacted text written back keeps the secret and the comments", async () => {
  const { call, read } = await stand();
  const { raw, hash } = await call("config.get");
  const answer = await call("config.set", { raw: raw.replace("18789", "18790"), baseHash: hash });
  expect(answer).toMatchObject({ ok: true, config: { gateway: { port: 18_790 } } });
  expect(await read()).toBe(TEXT.replace("18789", "18790"));
});

test("config.patch changes its keys, deletes with null, and says what changed", async () => {
  const { call, read } = await stand();
  const { hash } = await call("config.get");
  const answer = await call("config.patch", {
    raw: '{"gateway": {"port": null, "bind": "lan", "auth": {"token": "__OPENCLAW_REDACTED__"}}}',
    baseHash: hash,
  });
  expect(answer).toMatchObject({ ok: true, changedPaths: ["gateway.port", "gateway.bind"] });
  expect(answer.hash).toBe((await call("config.get")).hash);
  expect(await read()).toBe(
    TEXT.replace(" port: 18789,", "").replace(`" } },`, `" }, bind: "lan" },`),
  );
});

test("config.patch replaces what replacePaths names", async () => {
  const { call } = await stand();
  const { hash } = await call("config.get");
  const raw = '{"gateway": {"auth": {"mode": "password", "password": "${PASSWORD}"}}}';
  await call("config.patch", { raw, baseHash: hash, replacePaths: ["gateway.auth"] });
  expect((await call("config.get")).parsed.gateway.auth).toEqual({
    mode: "password",
    password: "${PASSWORD}",
  });
});

test.each<[string, object, string]>([
  ["config.set", { raw: "{}" }, "config base hash required; re-run config.get and retry"],
  [
    "config.apply",
    { raw: "{}", baseHash: "x" },
    "config changed since last load; re-run config.get and retry",
  ],
  [
    "config.patch",
    { raw: "{}", baseHash: "x" },
    "config changed since last load; re-run config.get and retry",
  ],
])("%s with %j is refused", async (method, params, message) => {
  const { call, read } = await stand();
  await expect(call(method, params)).rejects.toMatchObject({ code: "INVALID_REQUEST", message });
  expect(await read()).toBe(TEXT);
});

test.each([
  ["config.apply", '{"gateway": {"port": "x"}}', /^invalid config: gateway\.port: /],
  ["config.patch", '{"gateway": {"prot": 1}}', /^invalid config: gateway\.prot: /],
  ["config.patch", "[]", /^invalid config/],
  ["config.set", '{"gateway": {"remote": {"token": "__OPENCLAW_REDACTED__"}}}', /no former value/],
])("%s refuses %s, with the issues, and writes nothing", async (method, raw, message) => {
  const { call, read } = await stand();
  const { hash } = await call("config.get");
  await expect(call(method, { raw, baseHash: hash })).rejects.toMatchObject({
    code: "INVALID_REQUEST",
    message: expect.stringMatching(message),
  });
  expect(await read()).toBe(TEXT);
});

test("a file that is not there needs no hash", async () => {
  const { call, read } = await stand(null);
  await call("config.set", { raw: '{"gateway": {"mode": "local"}}' });
  expect(await read()).toContain("local");
});

test("writes are told to operators, and counted", async () => {
  const { gateway, call, clock } = await stand();
  const peer = await connect(gateway, ["operator.read"]);
  const told = peer.nextEvent("config.changed");
  const { hash } = await call("config.get");
  const answer = await call("config.patch", { raw: '{"gateway":{"port":1}}', baseHash: hash });
  expect(await told).toMatchObject({ payload: { hash: answer.hash, ts: clock.nowMs } });
  const write = () => call("config.patch", { raw: "{}", baseHash: "x" });
  for (let count = 1; count < 30; count += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await expect(write()).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  }
  await expect(write()).rejects.toMatchObject({
    code: "UNAVAILABLE",
    retryAfterMs: 60_000,
    details: { method: "config.patch" },
  });
  clock.nowMs += 60_000;
  await expect(write()).rejects.toMatchObject({ code: "INVALID_REQUEST" });
});

test("who may only read cannot write", async () => {
  const { gateway } = await stand();
  const peer = await connect(gateway, ["operator.read"]);
  expect(await peer.request("config.set", { raw: "{}" })).toMatchObject({
    error: { message: "missing scope: operator.admin" },
  });
});

test("the schema and its single places say what a key is and what a change needs", async () => {
  const { call } = await stand();
  const schema = await call("config.schema");
  expect(schema).toMatchObject({
    schema: { type: "object" },
    uiHints: { "gateway.auth.token": { sensitive: true } },
    version: "1.2.3",
  });
  expect(await call("config.schema.lookup", { path: "gateway.port" })).toMatchObject({
    path: "gateway.port",
    schema: { type: "integer" },
    reloadKind: "restart",
    children: [],
  });
  const gateway = await call("config.schema.lookup", { path: "gateway" });
  expect(gateway.children).toContainEqual(
    expect.objectContaining({ key: "remote", path: "gateway.remote", reloadKind: "none" }),
  );
  await expect(call("config.schema.lookup", { path: "gateway.prot" })).rejects.toThrow(
    "config path not found: gateway.prot",
  );
});

test("a change that nobody confirms is taken back", async () => {
  const { call, read, expire } = await stand();
  const { hash } = await call("config.get");
  const raw = '{"gateway": {"bind": "lan"}}';
  const answer = await call("config.patch", { raw, baseHash: hash, confirmMs: 60_000 });
  expect(answer).toMatchObject({ pending: { id: expect.any(String) } });
  expect(await read()).toContain("lan");
  await expire();
  expect(await read()).toBe(TEXT);
});

test("a change is confirmed only by a connection made after it was applied", async () => {
  const { gateway, call, clock, read, recordPath, restartPending } = await stand();
  const former = await connect(gateway, ["operator.admin"]);
  const { hash } = await call("config.get");
  const raw = '{"gateway": {"bind": "lan"}}';
  const { pending } = await call("config.patch", { raw, baseHash: hash, confirmMs: 60_000 });
  const confirm = { id: pending.id };
  expect(await former.request("config.confirm", confirm)).toMatchObject({
    error: { code: "UNAVAILABLE", message: expect.stringContaining("not applied yet") },
  });
  // The Gateway starts anew with the changed config.
  clock.nowMs = Date.now();
  const after = restartPending();
  await after.resume();
  const peer = { role: "operator", scopes: [], deviceId: undefined } as const;
  expect(() => after.confirm(pending.id, { ...peer, connectedAtMs: clock.nowMs - 1 })).toThrow(
    "made after the change",
  );
  expect(() => after.confirm("x", { ...peer, connectedAtMs: clock.nowMs })).toThrow("no such");
  after.confirm(pending.id, { ...peer, connectedAtMs: clock.nowMs });
  await expect(readFile(recordPath)).rejects.toThrow("ENOENT");
  expect(await read()).toContain("lan");
});

test("a change that is being taken back can no longer be confirmed", async () => {
  const { call, read, clock, restartPending } = await stand();
  const { hash } = await call("config.get");
  const raw = '{"gateway": {"bind": "lan"}}';
  const { pending } = await call("config.patch", { raw, baseHash: hash, confirmMs: 60_000 });
  const after = restartPending();
  await after.resume();
  const takenBack = after.takeBack("nobody confirmed it in time");
  const peer = { role: "operator", scopes: [], deviceId: undefined } as const;
  expect(() => after.confirm(pending.id, { ...peer, connectedAtMs: clock.nowMs })).toThrow(
    "no such",
  );
  expect(await takenBack).toBe(true);
  expect(await read()).toBe(TEXT);
});

test("a Gateway that was killed takes the change back when it starts again", async () => {
  const { call, read, clock, recordPath, restartPending } = await stand();
  const { hash } = await call("config.get");
  const raw = '{"gateway": {"bind": "lan"}}';
  await call("config.patch", { raw, baseHash: hash, confirmMs: 60_000 });
  clock.nowMs += 60_000;
  await restartPending().resume();
  expect(await read()).toBe(TEXT);
  await expect(readFile(recordPath)).rejects.toThrow("ENOENT");
});

/** What a killed Gateway leaves that had recorded a change, and perhaps made it. */
function recordWithoutText(configPath: string, expiresAtMs: number): string {
  const record = { id: "x", configPath, formerText: TEXT, newText: null, confirmMs: 60_000 };
  return JSON.stringify({ ...record, expiresAtMs });
}

test("killed between the record and the change, it leaves alone what somebody wrote since", async () => {
  const { read, clock, configPath, recordPath, restartPending } = await stand();
  await writeFile(recordPath, recordWithoutText(configPath, clock.nowMs - 1));
  await writeFile(configPath, "{ web: {} }");
  await restartPending().resume();
  expect(await read()).toBe("{ web: {} }");
  await expect(readFile(recordPath)).rejects.toThrow("ENOENT");
});

test("killed between the change and its record, it takes the change back", async () => {
  const { read, clock, configPath, recordPath, restartPending } = await stand();
  await writeFile(recordPath, recordWithoutText(configPath, clock.nowMs - 1));
  await editConfigFile(configPath, [{ path: "gateway.bind", value: "lan" }]);
  await restartPending().resume();
  expect(await read()).toBe(TEXT);
  await expect(readFile(recordPath)).rejects.toThrow("ENOENT");
});

test("what was changed after it stays when a change is taken back", async () => {
  const { call, read, restartPending } = await stand();
  const { hash } = await call("config.get");
  const change = await call("config.patch", {
    raw: '{"gateway": {"bind": "lan"}}',
    baseHash: hash,
    confirmMs: 60_000,
  });
  await call("config.patch", { raw: '{"logging": {"level": "debug"}}', baseHash: change.hash });
  const pending = restartPending();
  await pending.resume();
  expect(await pending.takeBack("it does not start")).toBe(true);
  const text = await read();
  expect(text).not.toContain("lan");
  expect(text).toContain("debug");
  expect(text).toContain("// mine");
});

test("a change that cannot be taken back at the moment is taken back later", async () => {
  const { read, expire, configPath, recordPath, restartPending } = await stand();
  const pending = restartPending();
  await pending.begin(60_000, async () => {
    await writeFile(configPath, "{}\n");
    return { text: "{}\n" };
  });
  // Somebody else works on the file for longer than it is waited for.
  const holder = { pid: process.ppid, startedAt: null, nonce: "theirs" };
  await writeFile(`${configPath}.lock`, JSON.stringify(holder));
  expect(await pending.takeBack("nobody confirmed it in time")).toBe(false);
  expect(await read()).toBe("{}\n");
  await expect(readFile(recordPath, "utf8")).resolves.toContain(SECRET);
  await rm(`${configPath}.lock`);
  await expire();
  await expect.poll(() => pending.ticket, { timeout: 10_000 }).toBeUndefined();
  expect(await read()).toBe(TEXT);
  await expect(readFile(recordPath)).rejects.toThrow("ENOENT");
});

test.each<[string, string, boolean]>([
  ["is noticed while it is being written", "{}\n", true],
  ["changes nothing", TEXT, false],
])("a change that %s can be confirmed", async (_title, text, isNoticed) => {
  const { configPath, clock, restartPending } = await stand();
  const pending = restartPending();
  const { ticket } = await pending.begin(60_000, async () => {
    await writeFile(configPath, text);
    if (isNoticed) pending.applied(text);
    return { text };
  });
  const peer = { role: "operator", scopes: [], deviceId: undefined } as const;
  pending.confirm(ticket.id, { ...peer, connectedAtMs: clock.nowMs });
  expect(pending.ticket).toBeUndefined();
});

test("one change waits at a time, and one that is refused leaves no record", async () => {
  const { call, recordPath } = await stand();
  const { hash } = await call("config.get");
  const wrong = { raw: '{"gateway": {"port": "x"}}', baseHash: hash, confirmMs: 60_000 };
  await expect(call("config.patch", wrong)).rejects.toThrow("invalid config");
  await expect(readFile(recordPath)).rejects.toThrow("ENOENT");
  const right = { raw: '{"gateway": {"port": 1}}', baseHash: hash, confirmMs: 60_000 };
  const answer = await call("config.patch", right);
  await expect(call("config.patch", { ...right, baseHash: answer.hash })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("another config change waits"),
  });
});
