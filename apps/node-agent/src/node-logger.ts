import type { TextSink } from "./node-io.ts";

/** The logger interface of the packages: fields first, then a constant message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

const SECRET_FIELD = /token|password|secret|authorization|private.?key/i;

/**
 * One line for each thing worth telling: warnings and errors, everything with `verbose`. What a
 * person needs to know of connections is told by the story, and so not repeated here.
 */
export function createNodeLogger(
  sink: TextSink,
  verbose: boolean,
  now: () => number = Date.now,
): Logger {
  const build = (bound: object): Logger => {
    const write =
      (level: string) =>
      (fields: object, message: string): void => {
        const time = new Date(now()).toISOString().slice(11, 19);
        const details = JSON.stringify({ ...bound, ...fields }, plain);
        sink.write(`${time} ${level}: ${message}${details === "{}" ? "" : ` ${details}`}\n`);
      };
    const quiet = verbose ? write : () => () => {};
    return {
      debug: quiet("debug"),
      info: quiet("info"),
      warn: write("warn"),
      error: write("error"),
      child: (fields) => build({ ...bound, ...fields }),
    };
  };
  return build({});
}

function plain(key: string, value: unknown): unknown {
  if (typeof value === "string" && SECRET_FIELD.test(key)) return "[redacted]";
  return value instanceof Error ? { name: value.name, message: value.message } : value;
}
