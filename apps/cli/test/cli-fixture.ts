import type { StopSignal } from "@openclaw/app-kit";
import { createGateway, type Gateway } from "@openclaw/gateway-core";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import type { CliIo } from "../src/io.ts";
import { run } from "../src/run.ts";

export const TOKEN = "a-token-of-the-test-suite";

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
  /** stdout parsed; the test fails when it is not exactly one document. */
  json(): Record<string, unknown>;
}

export interface CliOptions {
  env?: Record<string, string>;
  programName?: string;
  isTTY?: boolean;
}

/** One command line in memory, with a home of its own. */
export interface CliFixture extends AsyncDisposable {
  readonly home: TemporaryDirectory;
  /** What stdout has received of the call that runs now. */
  readonly live: { stdout: string; stderr: string };
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Presses Ctrl-C. */
  signal(name?: StopSignal): void;
}

export async function createCli(): Promise<CliFixture> {
  const home = await temporaryDirectory("openclaw-cli-");
  const listeners = new Set<(signal: StopSignal) => void>();
  const live = { stdout: "", stderr: "" };
  return {
    home,
    live,
    signal(name = "SIGINT") {
      for (const listener of listeners) listener(name);
    },
    async run(args, { env = {}, programName = "openclaw", isTTY = false } = {}) {
      live.stdout = "";
      live.stderr = "";
      const io: CliIo = {
        stdout: { isTTY, write: (text) => void (live.stdout += text) },
        stderr: { isTTY, write: (text) => void (live.stderr += text) },
        env: { PATH: process.env["PATH"], HOME: home.path, ...env },
        homedir: home.path,
        cwd: home.path,
        programName,
        onSignal(listener) {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
        terminate(code) {
          throw new Error(`the program ended itself with ${code}`);
        },
      };
      const code = await run(args, io);
      const { stdout, stderr } = live;
      return { code, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> };
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly url: string;
  readonly port: number;
  /** `--url … --token …` */
  readonly flags: readonly string[];
}

/** A Gateway on loopback with the token of the suite. */
export async function startGateway(
  options: Partial<Parameters<typeof createGateway>[0]> = {},
): Promise<TestGateway> {
  const gateway = createGateway({ auth: { mode: "token", token: TOKEN }, ...options });
  const { url, port } = await gateway.listen({ port: 0 });
  return {
    gateway,
    url,
    port,
    flags: ["--url", url, "--token", TOKEN],
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}
