import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, temporaryDirectory, type TestProcess } from "@openclaw/testkit";

/** What a command left. */
export interface ProgramAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How one command is run. */
export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Piped in. @default nothing */
  readonly input?: string;
  /** Words before the program, such as those that enter a network of its own. @default none */
  readonly within?: readonly string[];
}

/** A home directory of its own, and the program of this checkout that is run in it from its sources. */
export interface ProgramHome extends AsyncDisposable {
  readonly path: string;
  file(...parts: string[]): string;
  readonly configPath: string;
  /** Writes the config file, private as the program writes it. */
  writeConfig(config: object | string): Promise<void>;
  /** Runs `openclaw` to its end. */
  run(args: readonly string[], options?: ProgramOptions): Promise<ProgramAnswer>;
  /** Starts `openclaw`, to stay up. */
  start(args: readonly string[], options?: ProgramOptions): TestProcess;
}

const MAIN = fileURLToPath(new URL("../../../../apps/cli/src/main.ts", import.meta.url));

/** Creates a {@link ProgramHome}; disposing of it kills what runs in it. */
export async function createProgramHome(
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramHome> {
  const directory = await temporaryDirectory("openclaw-home-");
  const processes = new Set<TestProcess>();
  const configPath = directory.file(".openclaw", "openclaw.json");
  const home: ProgramHome = {
    path: directory.path,
    file: directory.file,
    configPath,
    async writeConfig(config) {
      await mkdir(dirname(configPath), { recursive: true, mode: 0o700 });
      const text =
        typeof config === "string" ? config : `${JSON.stringify(config, undefined, 2)}\n`;
      await writeFile(configPath, text, { mode: 0o600 });
    },
    start(args, { within = [], input, ...options } = {}) {
      const words = [...within, process.execPath, "--conditions=@openclaw/source", MAIN, ...args];
      const [program = "", ...rest] = words;
      const child = startProcess(program, rest, {
        cwd: directory.path,
        env: { HOME: directory.path, ...env, ...options.env },
        ...(input === undefined ? {} : { input }),
      });
      processes.add(child);
      return child;
    },
    async run(args, options) {
      const child = home.start(args, options);
      const { code } = await child.exited;
      processes.delete(child);
      return { code, stdout: child.stdout, stderr: child.stderr };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...processes].map((child) => child[Symbol.asyncDispose]()));
      await directory[Symbol.asyncDispose]();
    },
  };
  return home;
}
