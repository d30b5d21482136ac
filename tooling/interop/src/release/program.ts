import { startProcess, withDeadline } from "@openclaw/testkit";
import type { TestProcess } from "@openclaw/testkit";
import { PublishedFault } from "./checklist.ts";

/** Time one command may take; published ones need several seconds on two busy cores. */
const COMMAND_DEADLINE_MS = 60_000;

/** What only a program that fell over writes. */
const CRASHED =
  /\b(?:TypeError|ReferenceError|SyntaxError|ERR_MODULE_NOT_FOUND|Unhandled(?: promise)? rejection|Uncaught exception)\b/i;

/** One finished command. */
export interface Run {
  readonly command: string;
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams, stdout first. */
  readonly output: string;
  /**
   * The one JSON document on stdout.
   * @throws {CommandError} when it is none.
   */
  json(): Record<string, unknown>;
  /** @throws {CommandError} unless the output has each of the texts. */
  says(...texts: (string | RegExp)[]): void;
}

/** A command did something else than it should; what it wrote is in {@link CommandError.output}. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly output: string;

  constructor(message: string, output: string) {
    super(message);
    this.output = output;
  }
}

/** An `openclaw` with a home directory of its own. */
export interface Program {
  /** Runs a command that ends well. @throws {CommandError} when it does not. */
  ok(...args: string[]): Promise<Run>;
  /** Runs a command that is refused. @throws {CommandError} when it is not. */
  fails(...args: string[]): Promise<Run>;
  /** Starts a command that stays. */
  start(...args: string[]): TestProcess;
}

export interface ProgramOptions {
  name: string;
  /** The script that Node runs. */
  entry: string;
  isPublished: boolean;
  env: Readonly<Record<string, string>>;
  cwd: string;
}

export function createProgram({ name, entry, isPublished, env, cwd }: ProgramOptions): Program {
  function start(...args: string[]): TestProcess {
    return startProcess(process.execPath, [entry, ...args], { env: { ...env }, cwd });
  }

  async function run(args: string[]): Promise<Run> {
    const child = start(...args);
    const command = [name, ...args].join(" ");
    const written = (): string => [child.stdout, child.stderr].join("\n").trim();
    const late = (): string => `waiting for the end of ${command}`;
    const exit = await withDeadline(child.exited, COMMAND_DEADLINE_MS, late).catch(
      async (cause: unknown) => {
        await child.kill();
        const message = `did not end within ${COMMAND_DEADLINE_MS / 1000} s: ${command}`;
        throw isPublished
          ? new PublishedFault(message, written())
          : Object.assign(new CommandError(message, written()), { cause });
      },
    );
    if (isPublished && (exit.signal !== null || (exit.code !== 0 && CRASHED.test(child.stderr)))) {
      throw new PublishedFault(`fell over with ${exit.signal ?? exit.code}: ${command}`, written());
    }
    return describeRun(command, exit.code, child.stdout, written());
  }

  return {
    start,
    async ok(...args) {
      const result = await run(args);
      if (result.code === 0) return result;
      throw new CommandError(`ended with ${result.code}: ${result.command}`, result.output);
    },
    async fails(...args) {
      const result = await run(args);
      if (result.code !== 0) return result;
      throw new CommandError(`should have been refused: ${result.command}`, result.output);
    },
  };
}

function describeRun(command: string, code: number | null, stdout: string, output: string): Run {
  return {
    command,
    code,
    stdout,
    output,
    json() {
      try {
        // Commands print objects and lists; either way members are looked up by name.
        return JSON.parse(stdout) as Record<string, unknown>;
      } catch {
        throw new CommandError(`did not print one JSON document: ${command}`, output);
      }
    },
    says(...texts) {
      for (const text of texts) {
        const found = typeof text === "string" ? output.includes(text) : text.test(output);
        if (!found) throw new CommandError(`does not say ${text}: ${command}`, output);
      }
    },
  };
}
