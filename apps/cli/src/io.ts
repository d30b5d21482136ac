import { basename } from "node:path";
import type { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";
import { type ProgramIo, processIo } from "@openclaw/app-kit";

/** Where a person can be asked. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** Everything the program touches outside itself, so that a test can call it in memory. */
export interface CliIo extends ProgramIo {
  /** The name the program was called by, for the hints it prints. */
  readonly programName: string;
  /** Somebody sits there to answer: stdin and stderr are a terminal. @default nobody */
  readonly terminal?: (() => Terminal | undefined) | undefined;
  /** What is piped in. @default nothing */
  readonly stdin?: (() => AsyncIterable<unknown>) | undefined;
}

/** The names under which the program is installed. */
const PROGRAM_NAMES = ["openclaw", "clawdbot", "moltbot"] as const;

/** The real thing. Installs no signal handler until someone listens. */
export function cliIo(target: NodeJS.Process, homedir: string): CliIo {
  return {
    ...processIo(target, homedir),
    programName: programNameOf(target.argv[1]),
    stdin: () => target.stdin,
    // Looked at only when there is a question: opening stdin keeps a process alive.
    terminal: () =>
      isatty(0) && isatty(2) ? { input: target.stdin, output: target.stderr } : undefined,
  };
}

function programNameOf(script: string | undefined): string {
  const called = basename(script ?? "").replace(/\.[cm]?js$/, "");
  return PROGRAM_NAMES.find((name) => name === called) ?? PROGRAM_NAMES[0];
}
