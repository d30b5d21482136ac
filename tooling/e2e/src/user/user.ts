import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startProcess, type TestProcess } from "@openclaw/testkit";
import type { Runtime } from "./runtimes.ts";

/** What a command left. */
export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Stdout as the one JSON document that it is. @throws when it is anything else */
  // oxlint-disable-next-line typescript/no-explicit-any -- documents of many shapes, each checked by its test
  json(): any;
}

/** Somebody with a home directory of their own, who types commands. */
export interface User {
  readonly home: string;
  /** Runs `openclaw` to its end. */
  openclaw(args: readonly string[], env?: Record<string, string>): Promise<Answer>;
  /** Starts `openclaw`, to stay up. */
  start(args: readonly string[], env?: Record<string, string>): TestProcess;
}

export interface UserOptions {
  /** Empty, or missing yet. */
  home: string;
  /** Where `npm install --global --prefix` put things. */
  prefix: string;
  runtime: Runtime;
  /** What their shell exports. */
  env?: Record<string, string>;
  /** Told of every process, to end what a failed test leaves. */
  onProcess: (process: TestProcess) => void;
}

/** Creates a {@link User}. */
export async function createUser(options: UserOptions): Promise<User> {
  const { home, prefix, runtime, onProcess } = options;
  await mkdir(home, { recursive: true });
  const path = [join(prefix, "bin"), runtime.bin, "/usr/local/bin", "/usr/bin", "/bin"].join(":");
  const start = (args: readonly string[], env: Record<string, string> = {}): TestProcess => {
    const child = startProcess("openclaw", args, {
      cwd: home,
      env: { ...options.env, HOME: home, PATH: path, ...env },
    });
    onProcess(child);
    return child;
  };
  return {
    home,
    start,
    async openclaw(args, env) {
      const child = start(args, env);
      const { code } = await child.exited;
      const { stdout, stderr } = child;
      return { code, stdout, stderr, json: () => JSON.parse(stdout) };
    },
  };
}
