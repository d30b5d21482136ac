import { Readable } from "node:stream";
import type { StopSignal } from "@openclaw/app-kit";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { createGateway, type Gateway } from "@openclaw/gateway-core";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import type { Terminal } from "../src/io.ts";
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
  /** What is piped in. @default nothing */
  stdin?: string;
  /** Somebody who answers. @default nobody */
  terminal?: Terminal;
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
  let current = createMemoryIo({ home: home.path });
  return {
    home,
    get live() {
      return current.out;
    },
    signal: (name = "SIGINT") => current.signal(name),
    async run(args, { env = {}, programName = "openclaw", isTTY = false, stdin, terminal } = {}) {
      const ended = Promise.withResolvers<number>();
      current = createMemoryIo({
        home: home.path,
        env: { PATH: process.env["PATH"], ...env },
        isTTY,
        // A process would be gone by then, whatever still runs.
        onTerminate: ended.resolve,
      });
      const { out, io } = current;
      const running = run(args, {
        ...io,
        programName,
        terminal: () => terminal,
        stdin: () => Readable.from(stdin === undefined ? [] : [stdin]),
      });
      const code = await Promise.race([running, ended.promise]);
      const { stdout, stderr } = out;
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
