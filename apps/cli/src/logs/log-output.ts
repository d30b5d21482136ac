import { safeText } from "@openclaw/app-kit";
import type { LogsTailResult } from "@openclaw/protocol";
import type { Style } from "../output/style.ts";
import type { CommandContext } from "../program/command-context.ts";
import { type LogLine, readLogLine } from "./log-line.ts";

/** How points in time are shown: as the log has them, in UTC, or on the clock of this machine. */
export type LogClock = "as-is" | "utc" | "local";

/** Where the lines go. */
export interface LogOutput {
  /** Prints a piece of the log. */
  piece(piece: LogsTailResult): void;
  /** Says what happened between pieces. */
  notice(message: string): void;
}

/**
 * For people, lines on stdout and notices on stderr; with `--json`, one object a line on stdout:
 * `meta` whenever the file is another one, then `log`, `raw` and `notice`.
 */
export function createLogOutput(context: CommandContext, style: Style, clock: LogClock): LogOutput {
  const { io, json } = context;
  let file: string | undefined;
  const print = (value: object): void => void io.stdout.write(`${JSON.stringify(value)}\n`);

  const notice = (message: string): void => {
    if (json) print({ type: "notice", message });
    else context.say(style.dim(safeText(message)));
  };
  return {
    notice,
    piece({ lines, truncated, reset, skippedBytes, ...meta }) {
      if (meta.file !== file) {
        const { cursor, size } = meta;
        if (json) print({ type: "meta", file: meta.file, cursor, size });
        else context.say(style.dim(`Log file: ${safeText(meta.file)}`));
      } else if (reset === true) {
        notice("The log begins anew.");
      }
      file = meta.file;
      if (skippedBytes !== undefined && skippedBytes > 0) notice(`${skippedBytes} bytes skipped.`);
      else if (truncated === true) notice("Earlier lines were left out: --limit, --max-bytes.");
      if (json) for (const line of lines) print(documentOf(readLogLine(line)));
      else
        io.stdout.write(
          lines.map((line) => `${textOf(readLogLine(line), style, clock)}\n`).join(""),
        );
    },
  };
}

function documentOf(line: LogLine): object {
  if (line.type === "raw") return line;
  const { fields, ...named } = line;
  // What the program says of the line wins over what the line says.
  return { ...fields, ...named };
}

function textOf(line: LogLine, style: Style, clock: LogClock): string {
  if (line.type === "raw") return safeText(line.raw);
  const { time, level, subsystem, message, fields } = line;
  const details = Object.entries(fields)
    .map(([key, value]) => `${safeText(key)}=${detailText(value)}`)
    .join(" ");
  return [
    style.dim(timeText(time, clock)),
    levelText(safeText(level), style),
    ...(subsystem === undefined ? [] : [style.dim(`[${safeText(subsystem)}]`)]),
    safeText(message),
    ...(details === "" ? [] : [` ${style.dim(details)}`]),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function detailText(value: unknown): string {
  if (typeof value === "string" && /^[\w.:/@+-]+$/.test(value)) return value;
  return safeText(JSON.stringify(value));
}

function levelText(level: string, style: Style): string {
  const padded = level.padEnd(5);
  if (level === "error" || level === "fatal") return style.bad(padded);
  if (level === "warn") return style.warn(padded);
  return level === "info" ? padded : style.dim(padded);
}

function timeText(time: string | undefined, clock: LogClock): string {
  const at = new Date(time ?? Number.NaN);
  if (clock === "as-is" || Number.isNaN(at.getTime())) return safeText(time ?? "");
  return clock === "utc" ? at.toISOString() : localTime(at);
}

/** ISO 8601 with the offset of this machine at that time. */
function localTime(at: Date): string {
  const offsetMinutes = -at.getTimezoneOffset();
  const shifted = new Date(at.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const distance = Math.abs(offsetMinutes);
  return `${shifted}${offsetMinutes < 0 ? "-" : "+"}${two(distance / 60)}:${two(distance % 60)}`;
}
