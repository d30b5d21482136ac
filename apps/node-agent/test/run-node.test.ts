import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import type { StopSignal } from "@openclaw/app-kit";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import { createGateway, type Gateway } from "@openclaw/gateway-core";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import type { NodeRunFlags } from "../src/node-target.ts";
import { runNode } from "../src/run-node.ts";
import { runDaemon } from "../src/run-daemon.ts";
import { VERSION } from "../src/version.ts";

const TOKEN = "a-token-of-the-node-tests";

interface RunningNode {
  out: { stdout: string; stderr: string };
  signal(name?: StopSignal): void;
  exitCode: Promise<number>;
  ready: Promise<{ nodeId: string; url: string }>;
}

function startNode(home: TemporaryDirectory, flags: NodeRunFlags): RunningNode {
  const { io, out, signal } = createIo(home);
  const ready = Promise.withResolvers<{ nodeId: string; url: string }>();
  const exitCode = runNode({
    flags,
    io,
    paths: resolvePaths({ env: io.env, homedir: home.path }),
    onReady: ready.resolve,
  });
  return { out, signal, exitCode, ready: ready.promise };
}

function createIo(home: TemporaryDirectory) {
  return createMemoryIo({ home: home.path, env: { PATH: process.env["PATH"] } });
}

async function startGateway(
  autoApproveLocal = true,
): Promise<{ gateway: Gateway; flags: NodeRunFlags }> {
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    nodes: { pairing: { autoApproveLocal } },
  });
  const { port } = await gateway.listen({ port: 0 });
  return { gateway, flags: { host: "127.0.0.1", port: String(port), token: TOKEN } };
}

test("connects, serves system.run, and stops with 0 at a signal", async () => {
  await using home = await temporaryDirectory();
  const { gateway, flags } = await startGateway();
  await using _gateway = gateway;
  const node = startNode(home, { ...flags, displayName: "Workshop Pi" });
  const { nodeId } = await node.ready;
  expect(node.out.stderr).toContain(`as Workshop Pi (${nodeId.slice(0, 12)})`);
  const answer = await gateway.call("node.invoke", {
    nodeId,
    command: "system.run",
    params: { command: ["echo", "hello"] },
    idempotencyKey: "k1",
  });
  expect(answer).toMatchObject({ ok: true, payload: { exitCode: 0, stdout: "hello\n" } });
  node.signal();
  expect(await node.exitCode).toBe(0);
  const saved = JSON.parse(await readFile(home.file(".openclaw", "node.json"), "utf8")) as object;
  expect(saved).toMatchObject({
    version: 1,
    nodeId,
    displayName: "Workshop Pi",
    gateway: { host: "127.0.0.1" },
  });
  expect((await stat(home.file(".openclaw", "node.json"))).mode & 0o777).toBe(0o600);
  expect(JSON.stringify(saved) + node.out.stderr).not.toContain(TOKEN);
});

test("waits for pairing, tells the request and the command once, and goes on when approved", async () => {
  await using home = await temporaryDirectory();
  const { gateway, flags } = await startGateway(false);
  await using _gateway = gateway;
  const node = startNode(home, flags);
  await vi.waitFor(() => expect(node.out.stderr).toMatch(/openclaw devices approve [\w-]{6,}/), {
    timeout: 5_000,
  });
  const { pending } = (await gateway.call("device.pair.list", {})) as {
    pending: { requestId: string }[];
  };
  const requestId = pending[0]?.requestId ?? "";
  expect(node.out.stderr).toContain(`openclaw devices approve ${requestId}`);
  await gateway.call("device.pair.approve", { requestId });
  await node.ready;
  expect(node.out.stderr.split("devices approve")).toHaveLength(2);
  node.signal();
  expect(await node.exitCode).toBe(0);
});

test("a wrong token is told with its cause and ends with 1", async () => {
  await using home = await temporaryDirectory();
  const { gateway, flags } = await startGateway();
  await using _gateway = gateway;
  const node = startNode(home, { ...flags, token: "another-token-altogether" });
  expect(await node.exitCode).toBe(1);
  expect(node.out.stderr).toMatch(/Not connected: .*token mismatch.*; giving up\./);
  expect(node.out.stderr).not.toContain("another-token-altogether");
});

test("says at every attempt why it is not connected and when it tries again, and can be stopped then", async () => {
  await using home = await temporaryDirectory();
  const { gateway, flags } = await startGateway();
  await gateway.close();
  const node = startNode(home, flags);
  await vi.waitFor(
    () =>
      expect(node.out.stderr).toMatch(
        /Not connected: .*ECONNREFUSED.*; next attempt in [\d.]+ m?s\./,
      ),
    { timeout: 5_000 },
  );
  node.signal("SIGINT");
  expect(await node.exitCode).toBe(0);
});

test("a second process with the same state is refused with a way out", async () => {
  await using home = await temporaryDirectory();
  const { gateway, flags } = await startGateway();
  await using _gateway = gateway;
  const first = startNode(home, flags);
  await first.ready;
  const second = startNode(home, flags);
  expect(await second.exitCode).toBe(1);
  expect(second.out.stderr).toContain("Another node process works with");
  expect(second.out.stderr).toContain("--profile");
  first.signal();
  expect(await first.exitCode).toBe(0);
});

test("the kept Gateway is used again without a flag; the device token suffices then", async () => {
  await using home = await temporaryDirectory();
  const { gateway, flags } = await startGateway();
  await using _gateway = gateway;
  const first = startNode(home, flags);
  const { nodeId } = await first.ready;
  first.signal();
  await first.exitCode;
  const second = startNode(home, {});
  expect(await second.ready).toMatchObject({ nodeId });
  second.signal();
  expect(await second.exitCode).toBe(0);
});

test.each(["node.json", "identity/device.json"])(
  "a %s that cannot be read is left as it is",
  async (name) => {
    await using home = await temporaryDirectory();
    const path = home.file(".openclaw", name);
    await mkdir(home.file(".openclaw", "identity"), { recursive: true });
    await writeFile(path, '{"half":');
    const node = startNode(home, { port: "1", token: TOKEN });
    expect(await node.exitCode).toBe(1);
    expect(node.out.stderr).toContain("Node not started: ");
    expect(node.out.stderr).toContain(path);
    expect(await readFile(path, "utf8")).toBe('{"half":');
  },
);

test("the daemon's command line knows help, version, and what it does not know", async () => {
  await using home = await temporaryDirectory();
  const { io, out } = createIo(home);
  expect(await runDaemon(["--version"], io)).toBe(0);
  expect(out.stdout).toBe(`${VERSION}\n`);
  expect(await runDaemon(["--help"], io)).toBe(0);
  expect(await runDaemon(["--nonsense"], io)).toBe(1);
  expect(await runDaemon(["--profile"], io)).toBe(2);
});
