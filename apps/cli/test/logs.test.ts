import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import { runGateway } from "@openclaw/gateway";
import { type LogLocation, logLocation } from "@openclaw/gateway/logs";
import { freePort } from "@openclaw/testkit";
import { expect, onTestFinished, test, vi } from "vitest";
import { run } from "../src/run.ts";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";

const WAIT = { timeout: 20_000, interval: 10 };

interface RunningGateway {
  readonly port: number;
  stop(): Promise<void>;
}

/** The Gateway of the fixture's home, with its log file. */
async function startLogging(cli: CliFixture, port = 0): Promise<RunningGateway> {
  const { io, out, signal } = createMemoryIo({
    home: cli.home.path,
    env: { OPENCLAW_DISABLE_BONJOUR: "1" },
  });
  const ready = Promise.withResolvers<number>();
  const ended = runGateway({
    flags: { port: String(port), token: TOKEN },
    io,
    paths: resolvePaths({ env: io.env, homedir: cli.home.path }),
    onReady: (address) => ready.resolve(address.port),
  });
  void ended.then((code) => ready.reject(new Error(`exit ${code}: ${out.stderr}`)));
  const stop = async (): Promise<void> => {
    signal();
    await ended;
  };
  onTestFinished(stop);
  return { port: await ready.promise, stop };
}

function logOf(cli: CliFixture): LogLocation {
  const env = { HOME: cli.home.path };
  const location = logLocation({
    config: {},
    env,
    paths: resolvePaths({ env, homedir: cli.home.path }),
  });
  mkdirSync(dirname(location.fileAt(Date.now())), { recursive: true });
  return location;
}

function log(cli: CliFixture, ...lines: readonly (string | object)[]): void {
  const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  appendFileSync(logOf(cli).fileAt(Date.now()), texts.map((text) => `${text}\n`).join(""));
}

const environment = (port: number) => ({
  OPENCLAW_GATEWAY_PORT: String(port),
  OPENCLAW_GATEWAY_TOKEN: TOKEN,
});

test("logs shows the end of the Gateway's log over RPC, and never the secret", async () => {
  await using cli = await createCli();
  const { port } = await startLogging(cli);
  const time = "2026-01-02T03:04:05.678Z";
  log(cli, { time, level: "warn", subsystem: "net", peer: "10.0.0.7", msg: "slow peer" }, "plain");
  const { code, stdout, stderr } = await cli.run(["logs"], { env: environment(port) });
  expect(code).toBe(0);
  expect(stdout).toContain(`${time} warn  [net] slow peer  peer=10.0.0.7\n`);
  expect(stdout.split("\n")).toContain("plain");
  expect(stderr).toContain("Log file: ");
  expect(stdout + stderr).not.toContain(TOKEN);
  const limited = await cli.run(["logs", "--limit", "1", "--plain"], { env: environment(port) });
  expect(limited.stdout.trim().split("\n")).toHaveLength(1);
});

test("logs --json prints one object a line: meta, log and raw", async () => {
  await using cli = await createCli();
  const { port } = await startLogging(cli);
  log(cli, { time: "t", level: "info", type: "hostile", msg: "hello", n: 1 }, "not json");
  const { stdout } = await cli.run(["logs", "--json"], { env: environment(port) });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({ type: "meta", cursor: expect.any(Number) as number });
  expect(lines).toContainEqual({
    type: "log",
    time: "t",
    level: "info",
    message: "hello",
    n: 1,
  });
  expect(lines).toContainEqual({ type: "raw", raw: "not json" });
});

test("the log of a published Gateway is read too, and control characters never reach the terminal", async () => {
  await using cli = await createCli();
  const port = await freePort();
  log(
    cli,
    {
      0: '{"subsystem":"gateway/ws"}',
      1: "peer \u001b[31mconnected",
      _meta: { logLevelName: "INFO", date: "2026-01-02T03:04:05.678Z" },
    },
    "\u001b]0;title\u0007raw",
  );
  const { stdout } = await cli.run(["logs", "--utc"], { env: environment(port) });
  expect(stdout).toBe("2026-01-02T03:04:05.678Z info  [gateway/ws] peer connected\nraw\n");
});

test("while the Gateway of this machine is down, its file is read, and that is said", async () => {
  await using cli = await createCli();
  log(cli, { time: "t", level: "info", msg: "before the end" });
  const env = environment(await freePort());
  const { code, stdout, stderr } = await cli.run(["logs"], { env });
  expect(code).toBe(0);
  expect(stdout).toContain("before the end");
  expect(stderr).toMatch(/does not answer \(.*ECONNREFUSED.*this is its log file/);
});

test("the file of another place is never read in its stead: --url and --port fail", async () => {
  await using cli = await createCli();
  log(cli, { time: "t", level: "info", msg: "of this machine" });
  const port = String(await freePort());
  const byPort = await cli.run(["logs", "--port", port]);
  expect(byPort).toMatchObject({ code: 1, stdout: "" });
  const byUrl = await cli.run([
    "logs",
    "--json",
    "--url",
    `ws://127.0.0.1:${port}`,
    "--token",
    TOKEN,
  ]);
  expect(byUrl).toMatchObject({ code: 1, stdout: "" });
  expect(JSON.parse(byUrl.stderr)).toMatchObject({
    type: "error",
    error: { type: "gateway_transport_error", kind: "refused" },
    details: { urlSource: "cli --url" },
  });
});

test("a Gateway without logs.tail is a typed error, and a wrong token no reason to read the file", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  log(cli, { time: "t", level: "info", msg: "of the file" });
  const without = await cli.run(["logs", ...gateway.flags]);
  expect(without.code).toBe(1);
  const env = { ...environment(gateway.port), OPENCLAW_GATEWAY_TOKEN: "another-token-altogether" };
  const refused = await cli.run(["logs"], { env });
  expect(refused).toMatchObject({ code: 1, stdout: "" });
});

test("logs --follow survives a restart of the Gateway and a rotation, with each line once", async () => {
  await using cli = await createCli();
  const first = await startLogging(cli);
  log(cli, "before");
  const env = environment(first.port);
  const following = cli.run(["logs", "--follow", "--interval", "20", "--plain"], { env });
  const seen = (text: string) =>
    vi.waitFor(() => expect(cli.live.stdout.split("\n")).toContain(text), WAIT);
  await seen("before");
  log(cli, "while it runs");
  await seen("while it runs");
  await first.stop();
  await vi.waitFor(() => expect(cli.live.stderr).toContain("Connection lost"), WAIT);
  log(cli, "while it is away");
  const path = logOf(cli).fileAt(Date.now());
  renameSync(path, `${path}.1`);
  writeFileSync(path, "");
  log(cli, "in the new file");
  await startLogging(cli, first.port);
  await seen("in the new file");
  cli.signal();
  const { code, stdout } = await following;
  expect(code).toBe(0);
  const own = stdout.split("\n").filter((line) => /^(before|while|in the)/.test(line));
  expect(own).toEqual(["before", "while it runs", "while it is away", "in the new file"]);
});

test("logs --follow reads on in the file while the Gateway is down, until Ctrl-C", async () => {
  await using cli = await createCli();
  log(cli, "one");
  const env = environment(await freePort());
  const following = cli.run(["logs", "--follow", "--interval", "10", "--json"], { env });
  await vi.waitFor(() => expect(cli.live.stdout).toContain("one"), WAIT);
  log(cli, "two");
  await vi.waitFor(() => expect(cli.live.stdout).toContain("two"), WAIT);
  cli.signal();
  expect(await following).toMatchObject({ code: 0 });
});

test("Ctrl-C ends a follow also while nothing answers", async () => {
  await using cli = await createCli();
  // Takes the connection and says nothing, so that the command is still on its way in.
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  const accepted = new Promise<void>((resolve) => {
    server.on("connection", (socket) => {
      onTestFinished(() => void socket.destroy());
      resolve();
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const terminated = Promise.withResolvers<number>();
  const { io, signal } = createMemoryIo({
    home: cli.home.path,
    env: environment(port),
    onTerminate: terminated.resolve,
  });
  const args = ["logs", "--follow", "--timeout", "1000"];
  const following = run(args, { ...io, programName: "openclaw" });
  await accepted;
  signal("SIGINT");
  expect(await terminated.promise).toBe(0);
  await following;
});

test.each([
  [["--limit", "5001"], "--limit must be at most 5000"],
  [["--max-bytes", "1000001"], "--max-bytes must be at most 1000000"],
  [["--utc", "--local-time"], "cannot be combined"],
])("logs %j is refused before anything is sent", async (args, message) => {
  await using cli = await createCli();
  const { code, stderr } = await cli.run(["logs", ...args]);
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});
