import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { freePort, startProcess } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { createCli } from "./cli-fixture.ts";
import { starts } from "./gateway-fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

const TOKEN = "a-token-of-the-flag-tests";
const withToken = (port: number) => ({ gateway: { mode: "local", port, auth: { token: TOKEN } } });

test.each([
  ["--raw-stream"],
  ["--raw-stream-path", "/nowhere/stream.jsonl"],
  ["--claude-cli-logs"],
  ["--cli-backend-logs"],
  ["--ambient-channels"],
])("%s of other releases is taken, and said to do nothing", async (...args) => {
  await using run = await starts({ config: withToken(await freePort()), args });
  expect(run.log()).toMatch(/--[a-z-]+ does nothing: this Gateway/u);
  await using cli = await createCli();
  expect((await cli.run(["gateway", "run", "--help"])).stdout).not.toContain(args[0]);
});

test("--dev makes a config where there is none and starts; --dev --reset puts it aside and starts anew", async () => {
  const port = String(await freePort());
  await using run = await starts({ args: ["--dev", "--port", port] });
  const folder = run.cli.home.file(".openclaw");
  expect(run.banner).toContain(`ws://127.0.0.1:${port}`);
  expect((await run.command(["config", "get", "gateway.mode"])).stdout).toBe("local\n");
  const refused = await run.command(["gateway", "run", "--dev", "--reset", "--port", port]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("a Gateway runs") });
  expect(existsSync(`${folder}/reset-backups`)).toBe(false);

  run.cli.signal("SIGTERM");
  await vi.waitFor(() => expect(existsSync(`${folder}/gateway/instance.json`)).toBe(false), {
    timeout: 20_000,
  });
  const again = run.cli.run(["gateway", "run", "--dev", "--reset", "--port", port]);
  await vi.waitFor(() => expect(run.cli.live.stdout).toContain("🔒 Auth mode"), {
    timeout: 20_000,
  });
  run.cli.signal("SIGTERM");
  expect(await again).toMatchObject({ code: 0, stderr: expect.stringContaining("Put aside") });
  expect(await readdir(`${folder}/reset-backups`)).toHaveLength(1);
});

test("--dev in front of the command is the profile, behind it the config", async () => {
  const port = String(await freePort());
  await using cli = await createCli();
  const running = cli.run(["--dev", "gateway", "run", "--dev", "--port", port]);
  await vi.waitFor(() => expect(cli.live.stdout).toContain("🔒 Auth mode"), { timeout: 20_000 });
  cli.signal("SIGTERM");
  expect((await running).code).toBe(0);
  expect(existsSync(cli.home.file(".openclaw-dev", "openclaw.json"))).toBe(true);
  expect(existsSync(cli.home.file(".openclaw"))).toBe(false);
});

test.each([
  ["--compact", '"method":"health"', "request answered"],
  ["--ws-log=full", '"name":"health"', "frame"],
])("%s logs what is asked of the Gateway, and no secret", async (flag, named, message) => {
  await using run = await starts({ config: withToken(await freePort()), args: [flag] });
  expect(await run.command(["health"])).toMatchObject({ code: 0 });
  expect(run.log()).toContain(named);
  expect(run.log()).toContain(`"msg":"${message}"`);
  expect(run.log()).not.toContain(TOKEN);
});

test("without a flag no frame is logged", async () => {
  await using run = await starts({ config: withToken(await freePort()) });
  expect(await run.command(["health"])).toMatchObject({ code: 0 });
  expect(run.log()).not.toContain('"msg":"request answered"');
});

test("--force ends the program that holds the port, and the Gateway starts there", async () => {
  const port = await freePort();
  const code = `require("node:net").createServer().listen(${port}, "127.0.0.1", () => console.log("up"))`;
  await using holder = startProcess(process.execPath, ["-e", code]);
  await holder.line("up", { deadlineMs: 20_000 });
  await using run = await starts({ config: withToken(port), args: ["--force"] });
  expect(run.banner).toContain(`ws://127.0.0.1:${port}`);
  expect((await holder.exited).signal).toBe("SIGTERM");
});

test("--force typed in a script leaves another Gateway alone", async () => {
  const port = await freePort();
  await using cli = await createCli();
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const flags = ["--port", String(port), "--token", TOKEN];
  await using first = startProcess(
    process.execPath,
    ["--conditions=@openclaw/source", main, "gateway", "run", ...flags],
    { env: { HOME: cli.home.path } },
  );
  await first.line("Auth mode:", { deadlineMs: 30_000 });
  await using other = await createCli();
  const refused = await other.run(["gateway", "run", ...flags, "--force"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`--force does not end the Gateway on port ${port}`);
  expect(refused.stderr).toContain("openclaw gateway stop");
  const there = ["--url", `ws://127.0.0.1:${port}`, "--token", TOKEN];
  expect(await other.run(["health", ...there])).toMatchObject({ code: 0 });
});
