import process from "node:process";
import {
  createLogger,
  joinLoggers,
  type Logger,
  logLevelFrom,
  type ProgramIo,
} from "@openclaw/app-kit";
import type { Env, OpenClawConfig, Paths } from "@openclaw/config";
import { openLogFile } from "./log-file.ts";
import { type LogLocation, logLocation } from "./log-location.ts";

export interface RunLogInput {
  readonly io: Pick<ProgramIo, "stderr">;
  readonly config: Pick<OpenClawConfig, "logging">;
  readonly env: Env;
  readonly paths: Pick<Paths, "stateDir" | "home">;
  readonly verbose: boolean;
  /** Values that never appear in a line. */
  readonly secrets: readonly (string | undefined)[];
}

/** The log of a run: what a person sees, and the file. */
export interface RunLog {
  readonly logger: Logger;
  readonly location: LogLocation;
  /** Writes what waits. Later lines go to stderr only. */
  close(): void;
}

/**
 * Logs to stderr and to the file, each at a level of its own: `logging.consoleLevel` and
 * `logging.level`. `OPENCLAW_LOG_LEVEL` sets both, `--verbose` raises what is shown. A file that
 * cannot be written is told of once, on stderr.
 */
export function openRunLog({ io, config, env, paths, verbose, secrets }: RunLogInput): RunLog {
  const logging = config.logging ?? {};
  const asked = env["OPENCLAW_LOG_LEVEL"];
  const { patterns, faults } = patternsOf(logging.redactPatterns ?? []);
  const isTerminal = io.stderr.isTTY === true;
  const format =
    logging.consoleStyle === undefined
      ? isTerminal
        ? "text"
        : "json"
      : logging.consoleStyle === "json"
        ? "json"
        : "text";
  const shown = createLogger(io.stderr, {
    level: logLevelFrom(asked ?? logging.consoleLevel, verbose),
    format,
    secrets,
    redact: patterns,
  });
  const console = format === "text" ? shown : shown.child({ pid: process.pid });
  const location = logLocation({ config, env, paths });
  const file = openLogFile({
    location,
    onProblem: (problem) =>
      console.warn({ problem }, "the log file cannot be written, lines are shown here only"),
  });
  const written = createLogger(file, {
    // So that every command line that reads the log of a Gateway finds the words.
    messageKey: "message",
    level: logLevelFrom(asked ?? logging.level, false),
    secrets,
    redact: patterns,
  }).child({ pid: process.pid });
  const logger = joinLoggers(console, written);
  for (const fault of faults) {
    logger.warn({ pattern: fault }, "logging.redactPatterns has what is no regular expression");
  }
  return { logger, location, close: () => file.close() };
}

function patternsOf(texts: readonly string[]): { patterns: RegExp[]; faults: string[] } {
  const patterns: RegExp[] = [];
  const faults: string[] = [];
  for (const text of texts) {
    try {
      patterns.push(new RegExp(text, "g"));
    } catch {
      faults.push(text);
    }
  }
  return { patterns, faults };
}
