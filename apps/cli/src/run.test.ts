import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createCli } from "../test/cli-fixture.ts";
import { VERSION } from "./version.ts";

test("the version is that of the manifest, and the old name says it its own way", async () => {
  const manifest = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  expect(VERSION).toBe(manifest.version);
  await using cli = await createCli();
  for (const flag of ["--version", "-V", "-v"]) {
    // oxlint-disable-next-line no-await-in-loop
    expect(await cli.run([flag])).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
  }
  const old = await cli.run(["--version"], { programName: "clawdbot" });
  expect(old.stdout).toBe(`clawdbot CLI v${VERSION}\n`);
});

test("a profile that cannot be is exit 2, with the program's name in brackets", async () => {
  await using cli = await createCli();
  for (const args of [
    ["--profile"],
    ["--profile", "../x", "health"],
    ["--dev", "--profile", "a", "health"],
  ]) {
    // oxlint-disable-next-line no-await-in-loop
    const result = await cli.run(args);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^\[openclaw\] /);
  }
});

test("hints carry the name the program was called by, and the profile", async () => {
  await using cli = await createCli();
  const result = await cli.run(["--profile", "work", "health"], {
    programName: "moltbot",
    env: { OPENCLAW_GATEWAY_PORT: "1" },
  });
  expect(result.stderr).toContain("moltbot --profile work gateway run");
  expect(result.stderr).toContain(".openclaw-work");
});

test("a usage error with --json is one document and exit 1", async () => {
  await using cli = await createCli();
  const result = await cli.run(["nodes", "lst", "--json"]);
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({ ok: false, error: { type: "cli_error", kind: "usage" } });
  expect(result.stderr).toBe("");
});

test("a broken config stops commands that act, and not those that look", async () => {
  await using cli = await createCli();
  const env = { OPENCLAW_CONFIG_PATH: cli.home.file("openclaw.json"), OPENCLAW_GATEWAY_PORT: "1" };
  const { writeFile } = await import("node:fs/promises");
  await writeFile(env.OPENCLAW_CONFIG_PATH, '{"gateway":{"prot":1}}');
  const acting = await cli.run(["nodes", "list"], { env });
  expect(acting.code).toBe(1);
  expect(acting.stderr).toContain(`the config file is invalid: ${env.OPENCLAW_CONFIG_PATH}`);
  expect(acting.stderr).toMatch(/- gateway\.prot: .*gateway\.port/);
  const looking = await cli.run(["gateway", "status", "--json"], { env });
  expect(looking.code).toBe(0);
  expect(looking.json()).toMatchObject({ config: { cli: { valid: false } }, rpc: { ok: false } });
});

test("old variable names work, and are mentioned once on stderr", async () => {
  await using cli = await createCli();
  const result = await cli.run(["health", "--json"], { env: { CLAWDBOT_GATEWAY_PORT: "1" } });
  expect(result.json()).toMatchObject({ gateway: { url: "ws://127.0.0.1:1" } });
  expect(result.stderr).toMatch(/CLAWDBOT_GATEWAY_PORT \(now OPENCLAW_GATEWAY_PORT\)/);
});

test("a person at a terminal sees which program this is, on stderr, and no program does", async () => {
  await using cli = await createCli();
  const banner = `OpenClaw ${VERSION}\n`;
  const stderrOf = async (args: string[], { isTTY = true, env = {} } = {}) =>
    (await cli.run(args, { isTTY, env: { NO_COLOR: "1", OPENCLAW_GATEWAY_PORT: "1", ...env } }))
      .stderr;
  expect(await stderrOf(["status"])).toBe(banner);
  expect(await stderrOf(["nodes", "--help"])).toBe(banner);
  expect(await stderrOf(["status"], { isTTY: false })).toBe("");
  expect(await stderrOf(["status"], { env: { OPENCLAW_HIDE_BANNER: "1" } })).toBe("");
  expect(await stderrOf(["status", "--json"])).toBe("");
  expect(await stderrOf(["--version"])).toBe("");
  expect(await stderrOf(["completion", "--shell", "bash"])).toBe("");
});
