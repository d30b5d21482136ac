import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { createRawPeer, freePort, type RawPeer, type TestProcess } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { createProgramHome, type ProgramHome } from "../src/program/program-home.ts";

// What a change of the config does to a Gateway elsewhere, when the one who made it cannot come back.

const TOKEN = "a-token-of-the-rollback-tests";
const UP_MS = 30_000;
// Processes are slow to start on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

type Config = { gateway: Record<string, unknown>; [key: string]: unknown };

/** A Gateway that runs as a process of its own, from a config file. */
interface Stand extends AsyncDisposable {
  readonly home: ProgramHome;
  readonly port: number;
  readonly recordPath: string;
  gateway: TestProcess;
  /** Starts it again, on the state that the former one left. */
  startAgain(): TestProcess;
  config(): Promise<string>;
}

async function createStand(): Promise<Stand> {
  const home = await createProgramHome();
  const port = await freePort();
  const config: Config = {
    gateway: { mode: "local", port, auth: { token: TOKEN } },
    discovery: { mdns: { mode: "off" } },
  };
  await home.writeConfig(`// kept as it is\n${JSON.stringify(config, undefined, 2)}\n`);
  const start = (): TestProcess => home.start(["gateway", "run"]);
  const stand: Stand = {
    home,
    port,
    recordPath: home.file(".openclaw", "gateway", "config-change.json"),
    gateway: start(),
    startAgain: () => (stand.gateway = start()),
    config: () => readFile(home.configPath, "utf8"),
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
  await up(stand.gateway, port);
  return stand;
}

/** Waits until a Gateway says that it listens there. */
async function up(gateway: TestProcess, port: number, after = 0): Promise<void> {
  await gateway.line(new RegExp(`WebSocket: wss?://.*:${port}$`, "u"), {
    deadlineMs: UP_MS,
    after,
  });
}

async function operatorAt(port: number, secret: object = { token: TOKEN }): Promise<RawPeer> {
  const peer = await createRawPeer(`ws://127.0.0.1:${port}`);
  await peer.handshake(secret);
  return peer;
}

/** Changes the config over the wire, as somebody who will never confirm it. */
async function change(
  { port }: Stand,
  edit: (config: Config) => void,
  confirmMs: number,
): Promise<{ id: string; expiresAtMs: number }> {
  await using peer = await operatorAt(port);
  const { raw, hash } = await peer.call("config.get");
  const config = JSON.parse(String(raw).replace(/^\/\/.*$/mu, "")) as Config;
  edit(config);
  const params = { raw: JSON.stringify(config), baseHash: hash, confirmMs };
  const { pending } = await peer.call("config.apply", params);
  return pending as { id: string; expiresAtMs: number };
}

async function isServing(port: number): Promise<boolean> {
  try {
    await using _ = await operatorAt(port);
    return true;
  } catch {
    return false;
  }
}

const changes: readonly { what: string; edit: (config: Config, free: number) => void }[] = [
  { what: "port", edit: (config, free) => (config.gateway["port"] = free) },
  { what: "bind", edit: (config) => (config.gateway["bind"] = "lan") },
  { what: "token", edit: (config) => (config.gateway["auth"] = { token: "what-nobody-knows" }) },
  {
    what: "mode of authentication",
    edit: (config) =>
      (config.gateway["auth"] = { mode: "password", password: "a-password-nobody-knows" }),
  },
  { what: "TLS", edit: (config) => (config.gateway["tls"] = { enabled: true }) },
];

test.concurrent.each(changes)(
  "a change of $what that nobody confirms takes itself back",
  async ({ edit }) => {
    await using stand = await createStand();
    const before = await stand.config();
    const free = await freePort();

    await change(stand, (config) => edit(config, free), 1_500);
    expect(await stand.config()).not.toBe(before);
    await stand.gateway.line("config change taken back", { deadlineMs: UP_MS });

    expect(await stand.config()).toBe(before);
    await vi.waitFor(async () => expect(await isServing(stand.port)).toBe(true));
    expect(existsSync(stand.recordPath)).toBe(false);
  },
);

test.concurrent("a laptop that is closed right after config set --confirm locks nobody out", async () => {
  await using stand = await createStand();
  const before = await stand.config();
  const args = ["config", "set", "gateway.port", String(await freePort()), "--confirm", "3s"];
  const laptop = stand.home.start(args);
  await laptop.line(/^Changed gateway\.port/u, { deadlineMs: UP_MS });
  await laptop.kill();

  await stand.gateway.line("config change taken back", { deadlineMs: UP_MS });
  expect(await stand.config()).toBe(before);
  await vi.waitFor(async () => expect(await isServing(stand.port)).toBe(true));
});

test.concurrent("a change that was confirmed stays, also after the Gateway is killed and started", async () => {
  await using stand = await createStand();
  const port = await freePort();
  const args = ["config", "set", "gateway.port", String(port), "--confirm", "50s", "--json"];
  const set = await stand.home.run(args);

  expect(set).toMatchObject({ code: 0 });
  expect(JSON.parse(set.stdout)).toMatchObject({ confirmed: true, url: `ws://127.0.0.1:${port}` });
  await stand.gateway.kill();
  await up(stand.startAgain(), port);
  expect(await isServing(port)).toBe(true);
  expect(stand.gateway.stderr).not.toContain("taken back");
  expect(await stand.config()).toContain("// kept as it is");
});

test.concurrent("config apply --confirm of a whole file stays as well", async () => {
  await using stand = await createStand();
  const text = (await stand.config()).replace(TOKEN, "another-token-of-the-rollback-tests");
  const args = ["config", "apply", "-", "--confirm", "50s"];
  const applied = await stand.home.run(args, { input: text });

  expect(applied).toMatchObject({ code: 0 });
  expect(await stand.config()).toBe(text);
  expect(await isServing(stand.port)).toBe(false);
  const secret = { token: "another-token-of-the-rollback-tests" };
  await using _ = await operatorAt(stand.port, secret);
});

test.concurrent("a Gateway that was killed before the confirmation starts with the former config", async () => {
  await using stand = await createStand();
  const before = await stand.config();
  const free = await freePort();
  const { expiresAtMs } = await change(stand, (config) => (config.gateway["port"] = free), 3_000);
  await stand.gateway.kill();
  expect(await stand.config()).toContain(String(free));
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(expiresAtMs));

  await up(stand.startAgain(), stand.port);
  expect(await stand.config()).toBe(before);
  expect(stand.gateway.stderr + stand.gateway.stdout).toContain("taken back");
});

test.concurrent("killed and started within the time, it goes on waiting, and can still be confirmed", async () => {
  await using stand = await createStand();
  const free = await freePort();
  const { id } = await change(stand, (config) => (config.gateway["port"] = free), 60_000);
  await stand.gateway.kill();

  await up(stand.startAgain(), free);
  await using operator = await operatorAt(free);
  expect(await operator.call("config.confirm", { id })).toMatchObject({ ok: true });
  expect(existsSync(stand.recordPath)).toBe(false);
});

test.concurrent("killed and started within the time, and not confirmed then, it is the former one", async () => {
  await using stand = await createStand();
  const before = await stand.config();
  const free = await freePort();
  await change(stand, (config) => (config.gateway["port"] = free), 5_000);
  await stand.gateway.kill();

  stand.startAgain();
  await up(stand.gateway, stand.port);
  expect(await stand.config()).toBe(before);
});

test.concurrent("the connection that made the change cannot confirm it", async () => {
  await using stand = await createStand();
  await using operator = await operatorAt(stand.port);
  const { raw, hash } = await operator.call("config.get");
  const config = JSON.parse(String(raw).replace(/^\/\/.*$/mu, "")) as Config;
  // Taken on without a restart, so that the connection stays.
  config.gateway["trustedProxies"] = ["10.9.8.7"];
  const params = { raw: JSON.stringify(config), baseHash: hash, confirmMs: 4_000 };
  const { pending } = await operator.call("config.apply", params);
  const { id } = pending as { id: string };

  await vi.waitFor(async () => {
    const answer = await operator.request("config.confirm", { id });
    expect(answer.error?.message).toContain("this one was there before");
  });
  await stand.gateway.line("config change taken back", { deadlineMs: UP_MS });
});

test.concurrent("a config that the Gateway cannot start with is taken back at once", async () => {
  await using stand = await createStand();
  const before = await stand.config();
  const squatter = createServer().listen(0, "127.0.0.1");
  await vi.waitFor(() => expect(squatter.listening).toBe(true));
  const address = squatter.address();
  const taken = typeof address === "object" ? (address?.port ?? 0) : 0;
  try {
    await change(stand, (config) => (config.gateway["port"] = taken), 600_000);
    await stand.gateway.line("The config change that nobody had confirmed was taken back.", {
      deadlineMs: UP_MS,
    });
    expect(await stand.config()).toBe(before);
    await vi.waitFor(async () => expect(await isServing(stand.port)).toBe(true));
  } finally {
    squatter.close();
  }
});

test.concurrent("whatever moment the Gateway is killed at, it starts with the former config", async () => {
  await using stand = await createStand();
  const before = await stand.config();
  const free = await freePort();
  for (const afterMs of [0, 5, 20]) {
    // oxlint-disable no-await-in-loop -- one death after the other
    const operator = await operatorAt(stand.port);
    const { raw, hash } = await operator.call("config.get");
    const changed = String(raw).replace(`"port": ${stand.port}`, `"port": ${free}`);
    expect(changed).not.toBe(raw);
    const params = { raw: changed, baseHash: hash, confirmMs: 1_000 };
    operator.send({ type: "req", id: "last", method: "config.apply", params });
    const askedAtMs = Date.now();
    // The moment itself is what is tried here, and nothing waits for it.
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await stand.gateway.kill();
    operator.terminate();
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(askedAtMs + 1_500));

    await up(stand.startAgain(), stand.port);
    expect(await stand.config()).toBe(before);
    // oxlint-enable no-await-in-loop
  }
});
