import { basename } from "node:path";
import { type ProgramIo, processIo } from "@openclaw/app-kit";

/** Everything the program touches outside itself, so that a test can call it in memory. */
export interface CliIo extends ProgramIo {
  /** The name the program was called by, for the hints it prints. */
  readonly programName: string;
}

/** The names under which the program is installed. */
const PROGRAM_NAMES = ["openclaw", "clawdbot", "moltbot"] as const;

/** The real thing. Installs no signal handler until someone listens. */
export function cliIo(target: NodeJS.Process, homedir: string): CliIo {
  return { ...processIo(target, homedir), programName: programNameOf(target.argv[1]) };
}

function programNameOf(script: string | undefined): string {
  const called = basename(script ?? "").replace(/\.[cm]?js$/, "");
  return PROGRAM_NAMES.find((name) => name === called) ?? PROGRAM_NAMES[0];
}
