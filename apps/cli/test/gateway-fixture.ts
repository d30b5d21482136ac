import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import type { FakeTailscale } from "@openclaw/testkit";
import { expect, vi } from "vitest";
import { run } from "../src/run.ts";
import { type CliFixture, type CliResult, createCli } from "./cli-fixture.ts";

/** A Gateway as `openclaw gateway run` starts it from its config file. */
export interface Run extends AsyncDisposable {
  readonly cli: CliFixture;
  readonly banner: string;
  /** Another command line of the same user, while the Gateway runs. */
  command(args: readonly string[], env?: Record<string, string>): Promise<CliResult>;
  /** What it has logged so far. */
  log(): string;
}

export interface RunInput {
  /** @default no file */
  config?: object;
  env?: Record<string, string>;
  tailscale?: FakeTailscale;
  args?: readonly string[];
  profile?: string;
  /** The command that is to start it. @default gateway run */
  words?: readonly string[];
}

/** Writes the config file of a profile as it is given. */
export async function writeConfig(
  cli: CliFixture,
  config: object,
  profile?: string,
): Promise<void> {
  const folder = profile === undefined ? ".openclaw" : `.openclaw-${profile}`;
  const path = cli.home.file(folder, "openclaw.json");
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
}

/** Starts it and waits for its banner; ended when disposed. */
export async function starts({
  words: command = ["gateway", "run"],
  config,
  env = {},
  tailscale,
  args = [],
  profile,
}: RunInput): Promise<Run> {
  const cli = await createCli();
  if (config !== undefined) await writeConfig(cli, config, profile);
  const words = profile === undefined ? [] : ["--profile", profile];
  const ended = cli.run([...words, ...command, ...args], {
    env: { ...env, ...tailscale?.env },
  });
  let early: CliResult | undefined;
  void ended.then((result) => (early = result));
  await vi.waitFor(
    () => {
      if (early !== undefined) throw new Error(`exit ${early.code}: ${early.stderr}`);
      expect(cli.live.stdout).toContain("🔒 Auth mode");
    },
    { timeout: 20_000 },
  );
  const banner = cli.live.stdout;
  return {
    cli,
    banner,
    log: () => cli.live.stderr,
    async command(commandArgs, more = {}) {
      const { io, out } = createMemoryIo({
        home: cli.home.path,
        env: { PATH: process.env["PATH"], ...env, ...tailscale?.env, ...more },
      });
      const code = await run([...words, ...commandArgs], { ...io, programName: "openclaw" });
      const { stdout, stderr } = out;
      return { code, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> };
    },
    async [Symbol.asyncDispose]() {
      cli.signal("SIGTERM");
      await ended;
      await cli[Symbol.asyncDispose]();
    },
  };
}

/** The same, for a start that has to be refused. */
export async function refuses({
  config,
  env = {},
  tailscale,
  args = [],
  words = ["gateway", "run"],
}: RunInput): Promise<CliResult> {
  await using cli = await createCli();
  if (config !== undefined) await writeConfig(cli, config);
  return await cli.run([...words, ...args], { env: { ...env, ...tailscale?.env } });
}
