import { isObject } from "@openclaw/app-kit";

/** A line of a Gateway's log, or what stands there in its place. */
export type LogLine =
  | {
      readonly type: "log";
      readonly time: string | undefined;
      readonly level: string;
      readonly subsystem: string | undefined;
      readonly message: string;
      /** Everything else that the line says. */
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly type: "raw"; readonly raw: string };

/**
 * Reads a line in the form of this Gateway, `{time, level, message, …}`, or of the published one, whose
 * words stand under numbers beside `_meta`. Any other line is raw.
 */
export function readLogLine(line: string): LogLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Not every line of a log is JSON.
    return { type: "raw", raw: line };
  }
  if (!isObject(value)) return { type: "raw", raw: line };
  if (isObject(value["_meta"])) return readNumbered(value, value["_meta"]);
  const { time, level, msg, message = msg, subsystem, ...fields } = value;
  if (typeof message !== "string") return { type: "raw", raw: line };
  delete fields["msg"];
  return {
    type: "log",
    time: textOf(time),
    level: textOf(level) ?? "info",
    subsystem: textOf(subsystem),
    message,
    fields,
  };
}

function readNumbered(value: Record<string, unknown>, meta: Record<string, unknown>): LogLine {
  const words = Object.keys(value)
    .filter((key) => /^\d+$/.test(key))
    .map((key) => value[key]);
  const [first] = words;
  const named = typeof first === "string" ? subsystemOf(first) : undefined;
  const rest = named === undefined ? words : words.slice(1);
  return {
    type: "log",
    time: textOf(value["time"]) ?? textOf(meta["date"]),
    level: (textOf(meta["logLevelName"]) ?? "info").toLowerCase(),
    subsystem: named,
    message: rest.map((word) => textOf(word) ?? JSON.stringify(word)).join(" "),
    fields: {},
  };
}

/** The published Gateway puts `{"subsystem":"…"}` in front of the words. */
function subsystemOf(text: string): string | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? textOf(value["subsystem"]) : undefined;
  } catch {
    // A word that begins with a brace.
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
