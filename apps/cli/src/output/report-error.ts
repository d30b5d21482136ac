import { messageOf } from "@openclaw/app-kit";
import type { CliIo } from "../io.ts";
import { CliError } from "../errors.ts";
import type { Style } from "./style.ts";

export interface ReportOptions {
  io: CliIo;
  json: boolean;
  /** Colours for stderr. */
  style: Style;
  /** Begins the line, unless the command line itself is wrong. @default "Error:" */
  prefix?: string | undefined;
}

/**
 * Tells of a failure: the message and hints on stderr, or with `json` one document on stdout.
 * Returns the exit code.
 */
export function reportError(error: unknown, { io, json, style, prefix }: ReportOptions): number {
  const failure = error instanceof CliError ? error : internalError(error);
  if (json) {
    const { type, message, hints, fields, siblings } = failure;
    const body = { type, message, ...fields, ...(hints.length === 0 ? {} : { hints }) };
    io.stdout.write(`${JSON.stringify({ ok: false, error: body, ...siblings }, undefined, 2)}\n`);
  } else {
    const start = failure.fields["kind"] === "usage" ? undefined : prefix;
    io.stderr.write(`${style.bad(start ?? "Error:")} ${failure.message}\n`);
    for (const hint of failure.hints) io.stderr.write(`  ${hint}\n`);
    if (failure.type === "internal_error") io.stderr.write(`${style.dim(stackOf(error))}\n`);
  }
  return failure.exitCode;
}

function internalError(error: unknown): CliError {
  const message = messageOf(error);
  return new CliError("internal_error", `unexpected failure: ${message}`, { cause: error });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? "") : "";
}
