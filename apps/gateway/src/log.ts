import type { TextSink } from "./gateway-io.ts";

/** The logger interface of the packages: fields first, then a constant message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

/** From the quietest to the most talkative. */
export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /** @default "info" */
  level?: LogLevel;
  /** `json`: one object a line; `text`: for people at a terminal. @default "json" */
  format?: "json" | "text";
  /** Values that never appear in a line, whatever field they came in. */
  secrets?: readonly (string | undefined)[];
  now?: () => number;
}

const SECRET_FIELD = /token|password|secret|authorization|cookie|private.?key/i;
// Shorter values would blank out ordinary words; secrets of this length are refused elsewhere.
const MIN_SECRET_CHARS = 4;

/** A logger that writes to `sink`; secret fields and secret values are blanked. */
export function createLogger(sink: TextSink, options: LogOptions = {}): Logger {
  const threshold = LOG_LEVELS.indexOf(options.level ?? "info");
  const now = options.now ?? Date.now;
  const secrets = (options.secrets ?? []).filter(
    (secret): secret is string => secret !== undefined && secret.length >= MIN_SECRET_CHARS,
  );
  const render = options.format === "text" ? textLine : jsonLine;

  const build = (bound: object): Logger => {
    const at = (level: LogLevel) => {
      if (LOG_LEVELS.indexOf(level) > threshold) return () => {};
      return (fields: object, message: string): void => {
        let line = render(now(), level, { ...bound, ...fields }, message);
        for (const secret of secrets) line = line.replaceAll(secret, "[redacted]");
        sink.write(`${line}\n`);
      };
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => build({ ...bound, ...fields }),
    };
  };
  return build({});
}

/** The level asked for by `OPENCLAW_LOG_LEVEL`, its neighbours in other vocabularies included. */
export function logLevelFrom(value: string | undefined, verbose: boolean): LogLevel {
  if (verbose) return "debug";
  if (value === "trace") return "debug";
  if (value === "fatal") return "error";
  return LOG_LEVELS.find((level) => level === value) ?? "info";
}

function jsonLine(atMs: number, level: LogLevel, fields: object, message: string): string {
  return JSON.stringify(
    { time: new Date(atMs).toISOString(), level, ...fields, msg: message },
    (key, value: unknown) => plain(key, value),
  );
}

function textLine(atMs: number, level: LogLevel, fields: object, message: string): string {
  const time = new Date(atMs).toISOString().slice(11, 19);
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${shown(plain(key, value))}`)
    .join(" ");
  const label = level === "info" ? "" : `${level}: `;
  return `${time} ${label}${message}${details === "" ? "" : `  ${details}`}`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value, (key, inner: unknown) => plain(key, inner)) ?? String(value);
}

function plain(key: string, value: unknown): unknown {
  if (typeof value === "string" && SECRET_FIELD.test(key)) return "[redacted]";
  if (value instanceof Error) {
    const code = "code" in value ? { code: value.code } : {};
    return { name: value.name, ...code, message: value.message, stack: value.stack };
  }
  return value;
}
