import type { TextSink } from "./text-sink.ts";

/** The logger interface of the packages: fields first, then a constant message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

/** From the quietest to the most talkative. */
const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
/** What is written: this and everything more urgent. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** @default "info" */
  level?: LogLevel;
  /** `json`: one object a line; `text`: for people at a terminal. @default "json" */
  format?: "json" | "text";
  /** Under which name the message stands in JSON. @default "msg" */
  messageKey?: "msg" | "message";
  /** Values that never appear in a line, whatever field they came in; what is added later counts too. */
  secrets?: readonly (string | undefined)[];
  /** What they match never appears either: `logging.redactPatterns`. */
  redact?: readonly RegExp[];
  now?: () => number;
}

const SECRET_FIELD = /token|password|secret|authorization|cookie|private.?key/i;
// Shorter values would blank out ordinary words; secrets of this length are refused elsewhere.
const MIN_SECRET_CHARS = 4;

/** A logger that writes to `sink`; secret fields and secret values are blanked. */
export function createLogger(sink: TextSink, options: LoggerOptions = {}): Logger {
  const threshold = LOG_LEVELS.indexOf(options.level ?? "info");
  const now = options.now ?? Date.now;
  const given = options.secrets ?? [];
  let known = 0;
  let secrets: string[] = [];
  const readSecrets = (): readonly string[] => {
    if (given.length !== known) secrets = given.flatMap(waysToWrite);
    known = given.length;
    return secrets;
  };
  const patterns = (options.redact ?? []).map(
    ({ source, flags }) => new RegExp(source, flags.includes("g") ? flags : `${flags}g`),
  );
  const render = options.format === "text" ? textLine : jsonLine(options.messageKey ?? "msg");

  const build = (bound: object): Logger => {
    const at = (level: LogLevel) => {
      if (LOG_LEVELS.indexOf(level) > threshold) return () => {};
      return (fields: object, message: string): void => {
        let line = render(now(), level, { ...bound, ...fields }, message);
        for (const secret of readSecrets()) line = line.replaceAll(secret, "[redacted]");
        for (const pattern of patterns) line = line.replaceAll(pattern, "[redacted]");
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

/** A secret as it is, and as it stands in JSON. */
function waysToWrite(secret: string | undefined): string[] {
  if (secret === undefined || secret.length < MIN_SECRET_CHARS) return [];
  return [secret, JSON.stringify(secret).slice(1, -1)];
}

/** A logger that writes to each of several. */
export function joinLoggers(...loggers: readonly Logger[]): Logger {
  return {
    debug: (fields, message) => loggers.forEach((logger) => logger.debug(fields, message)),
    info: (fields, message) => loggers.forEach((logger) => logger.info(fields, message)),
    warn: (fields, message) => loggers.forEach((logger) => logger.warn(fields, message)),
    error: (fields, message) => loggers.forEach((logger) => logger.error(fields, message)),
    child: (fields) => joinLoggers(...loggers.map((logger) => logger.child(fields))),
  };
}

/**
 * The level asked for by `--verbose` or by `OPENCLAW_LOG_LEVEL`, its neighbours in other vocabularies
 * included; else `fallback`.
 */
export function logLevelFrom(
  value: string | undefined,
  verbose: boolean,
  fallback: LogLevel = "info",
): LogLevel {
  if (verbose) return "debug";
  if (value === "trace") return "debug";
  if (value === "fatal") return "error";
  return LOG_LEVELS.find((level) => level === value) ?? fallback;
}

function jsonLine(messageKey: "msg" | "message") {
  return (atMs: number, level: LogLevel, fields: object, message: string): string =>
    JSON.stringify(
      { time: new Date(atMs).toISOString(), level, ...fields, [messageKey]: message },
      plainWith({ stack: true }),
    );
}

function textLine(atMs: number, level: LogLevel, fields: object, message: string): string {
  const time = new Date(atMs).toISOString().slice(11, 19);
  // Somebody has to look at an error; what heals itself needs no stack in front of a person.
  const plain = plainWith({ stack: level === "error" });
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${shown(plain(key, value), plain)}`)
    .join(" ");
  const label = level === "info" ? "" : `${level}: `;
  return `${time} ${label}${message}${details === "" ? "" : `  ${details}`}`;
}

type Plain = (key: string, value: unknown) => unknown;

function shown(value: unknown, plain: Plain): string {
  if (typeof value === "string") return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value, plain) ?? String(value);
}

/** What a value looks like in a line: secrets blanked, errors with what JSON would leave out. */
function plainWith({ stack }: { stack: boolean }): Plain {
  return (key, value) => {
    if (typeof value === "string" && SECRET_FIELD.test(key)) return "[redacted]";
    if (!(value instanceof Error)) return value;
    const code = "code" in value ? { code: value.code } : {};
    const trace = stack ? { stack: value.stack } : {};
    return { name: value.name, ...code, message: value.message, ...trace };
  };
}
