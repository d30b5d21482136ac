import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { StopSignal } from "@openclaw/app-kit";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import type { TemporaryDirectory } from "@openclaw/testkit";
import { runGateway } from "../src/run-gateway.ts";
import type { GatewayRunFlags } from "../src/start-plan.ts";

/** How a Gateway is to be started. */
export interface StartInput {
  home: TemporaryDirectory;
  flags?: GatewayRunFlags;
  /** Written to the config file first. */
  config?: object;
  env?: Record<string, string>;
}

/** A Gateway that runs in this process, with a home of its own. */
export interface RunningGateway {
  url: string;
  port: number;
  stateDir: string;
  configPath: string;
  out: { stdout: string; stderr: string };
  signal(name?: StopSignal): void;
  exitCode: Promise<number>;
}

/** What became of a start: it runs, or it has ended. */
export async function startGateway(
  input: StartInput,
): Promise<RunningGateway | { code: number; out: { stdout: string; stderr: string } }> {
  const { home, flags = {}, config, env = {} } = input;
  const { io, out, signal } = createMemoryIo({ home: home.path, env });
  const { stateDir, configPath, ...paths } = resolvePaths({ env: io.env, homedir: home.path });
  if (config !== undefined) {
    await mkdir(dirname(configPath), { recursive: true, mode: 0o700 });
    await writeFile(configPath, JSON.stringify(config), { mode: 0o600 });
  }
  const ready = Promise.withResolvers<{ url: string; port: number }>();
  const exitCode = runGateway({
    flags: { port: "0", ...flags },
    io,
    paths: { ...paths, stateDir, configPath },
    onReady: ready.resolve,
  });
  return Promise.race([
    ready.promise.then((address) => ({ ...address, stateDir, configPath, out, signal, exitCode })),
    exitCode.then((code) => ({ code, out })),
  ]);
}

/** The same, for a start that has to work. */
export async function runningGateway(input: StartInput): Promise<RunningGateway> {
  const started = await startGateway(input);
  if ("code" in started) throw new Error(`exit ${started.code}: ${started.out.stderr}`);
  return started;
}

/** The same, for a start that has to be refused: its exit code and what it said. */
export async function refusedGateway(input: StartInput): Promise<{ code: number; stderr: string }> {
  const started = await startGateway(input);
  if ("code" in started) return { code: started.code, stderr: started.out.stderr };
  started.signal();
  await started.exitCode;
  throw new Error("it started");
}
