import { createServer } from "node:net";
import { once } from "node:events";
import { readFile, stat, writeFile, mkdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { readRunToken, runTokenPath, type StopSignal } from "@openclaw/app-kit";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import {
  createRawPeer,
  freePort,
  temporaryDirectory,
  type TemporaryDirectory,
} from "@openclaw/testkit";
import { expect, test } from "vitest";
import { readInstance } from "../src/instance-file.ts";
import { findPortHolders } from "../src/port-holder.ts";
import { runGateway } from "../src/run-gateway.ts";
import type { GatewayRunFlags } from "../src/start-plan.ts";
import { runDaemon } from "../src/run-daemon.ts";
import { VERSION } from "../src/version.ts";

interface Running {
  url: string;
  port: number;
  stateDir: string;
  out: { stdout: string; stderr: string };
  signal(name?: StopSignal): void;
  exitCode: Promise<number>;
  terminated: number[];
}

function createIo(home: TemporaryDirectory) {
  const terminated: number[] = [];
  const onTerminate = (exitCode: number): void => void terminated.push(exitCode);
  return { ...createMemoryIo({ home: home.path, onTerminate }), terminated };
}

async function start(home: TemporaryDirectory, flags: GatewayRunFlags): Promise<Running> {
  const { io, out, signal, terminated } = createIo(home);
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  const ready = Promise.withResolvers<{ url: string; port: number }>();
  const exitCode = runGateway({
    flags: { port: "0", ...flags },
    io,
    paths,
    onReady: ready.resolve,
  });
  const early = exitCode.then((code) => {
    throw new Error(`exit ${code}: ${out.stderr}`);
  });
  // The rejection matters only while nobody is ready yet.
  early.catch(() => {});
  const address = await Promise.race([ready.promise, early]);
  return { ...address, stateDir: paths.stateDir, out, signal, exitCode, terminated };
}

test("prints the banner, lets a peer with the token in, and stops with 0 at a signal", async () => {
  await using home = await temporaryDirectory();
  const gateway = await start(home, { token: "a-token-for-this-test" });
  expect(gateway.out.stdout).toBe(
    `🚀 Gateway starting...\n📡 WebSocket: ws://127.0.0.1:${gateway.port}\n🔒 Auth mode: token\n`,
  );
  await using peer = await createRawPeer(gateway.url);
  const hello = await peer.handshake({ token: "a-token-for-this-test", scopes: ["operator.read"] });
  expect(hello).toMatchObject({ server: { version: VERSION } });
  gateway.signal();
  expect(await gateway.exitCode).toBe(0);
  expect(gateway.out.stdout + gateway.out.stderr).not.toContain("a-token-for-this-test");
  expect(readInstance(gateway.stateDir)).toBeUndefined();
});

test("a run without a secret leaves its token for commands on this host, 0600, until it ends", async () => {
  await using home = await temporaryDirectory();
  await mkdir(home.file(".openclaw"));
  await writeFile(home.file(".openclaw", "openclaw.json"), '{gateway: {mode: "local"}}');
  const gateway = await start(home, {});
  const token = readRunToken(gateway.stateDir, gateway.port) ?? "";
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(readRunToken(gateway.stateDir, gateway.port + 1)).toBeUndefined();
  const { mode } = await stat(runTokenPath(gateway.stateDir));
  expect(mode & 0o777).toBe(0o600);
  await using peer = await createRawPeer(gateway.url);
  await peer.handshake({ token, scopes: ["operator.read"] });
  gateway.signal("SIGINT");
  expect(await gateway.exitCode).toBe(0);
  await expect(readFile(runTokenPath(gateway.stateDir))).rejects.toThrow(/ENOENT/);
  expect(gateway.out.stderr).not.toContain(token);
});

test("a second Gateway with the same state is told who is there, exit 78", async () => {
  await using home = await temporaryDirectory();
  const first = await start(home, { token: "a-token-for-this-test" });
  const { io, out } = createIo(home);
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  const code = await runGateway({ flags: { port: "0", token: "t2" }, io, paths });
  expect(code).toBe(78);
  expect(out.stderr).toContain(`a Gateway already runs`);
  expect(out.stderr).toContain(`pid ${process.pid}, port ${first.port}`);
  first.signal();
  expect(await first.exitCode).toBe(0);
});

test("R12: a port that is taken is told with its holder, exit 1", async () => {
  await using home = await temporaryDirectory();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { io, out } = createIo(home);
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  const code = await runGateway({ flags: { port: String(port), token: "t" }, io, paths });
  expect(code).toBe(1);
  expect(out.stderr).toContain(`port ${port} is in use by pid ${process.pid}`);
  expect(await findPortHolders(port)).toMatchObject([
    { pid: process.pid, address: "127.0.0.1", user: userInfo().username },
  ]);
  server.close();
  await once(server, "close");
  expect(await findPortHolders(port)).toEqual([]);
});

test("state survives a restart, and a second signal ends at once", async () => {
  await using home = await temporaryDirectory();
  const first = await start(home, { auth: "none" });
  first.signal();
  first.signal();
  expect(first.terminated).toEqual([1]);
  await first.exitCode;
  const second = await start(home, { auth: "none" });
  second.signal();
  expect(await second.exitCode).toBe(0);
});

test("the password comes from the first line of a file, and not from two places", async () => {
  await using home = await temporaryDirectory();
  const passwordFile = home.file("secret");
  await writeFile(passwordFile, "  pass phrase of the file \nrest\n");
  const gateway = await start(home, { passwordFile });
  await using peer = await createRawPeer(gateway.url);
  await peer.handshake({ password: "pass phrase of the file", scopes: [] });
  gateway.signal();
  await gateway.exitCode;
  const { io, out } = createIo(home);
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  expect(await runGateway({ flags: { passwordFile, password: "x" }, io, paths })).toBe(1);
  expect(out.stderr).toContain("cannot be combined");
});

test("the daemon's command line knows help, version, and what it does not know", async () => {
  await using home = await temporaryDirectory();
  const { io, out } = createIo(home);
  expect(await runDaemon(["--version"], io)).toBe(0);
  expect(out.stdout).toBe(`${VERSION}\n`);
  expect(await runDaemon(["--help"], io)).toBe(0);
  expect(await runDaemon(["--nonsense"], io)).toBe(1);
  expect(await runDaemon(["--profile"], io)).toBe(2);
  expect(await runDaemon([], io)).toBe(78);
  expect(out.stderr).toContain("there is no config file");
});

test("asked to restart, it reads its config again and begins anew on the same port", async () => {
  await using home = await temporaryDirectory();
  const config = home.file(".openclaw", "openclaw.json");
  await mkdir(home.file(".openclaw"));
  const { io, out, signal, restart } = createMemoryIo({ home: home.path });
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  const write = (token: string): Promise<void> =>
    writeFile(config, JSON.stringify({ gateway: { mode: "local", auth: { token } } }));
  await write("the-first-token-of-the-test");
  const addresses: { url: string; port: number }[] = [];
  let wake = Promise.withResolvers<void>();
  const exitCode = runGateway({
    flags: { port: String(await freePort()) },
    io,
    paths,
    onReady(address) {
      addresses.push(address);
      wake.resolve();
    },
  });
  await wake.promise;
  await using first = await createRawPeer(addresses[0]?.url ?? "");
  await first.handshake({ token: "the-first-token-of-the-test" });

  wake = Promise.withResolvers<void>();
  await write("the-second-token-of-the-test");
  restart();
  expect(await first.closed).toMatchObject({ code: 1012 });
  await wake.promise;
  expect(addresses[1]).toEqual(addresses[0]);
  await using second = await createRawPeer(addresses[1]?.url ?? "");
  await second.handshake({ token: "the-second-token-of-the-test" });

  signal();
  expect(await exitCode).toBe(0);
  expect(out.stdout.match(/🔒 Auth mode/gu)).toHaveLength(2);
});
