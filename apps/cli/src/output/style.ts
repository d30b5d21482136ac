import { styleText } from "node:util";
import type { TextSink } from "@openclaw/app-kit";

/** Colours, or none. What is said never depends on them. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

export interface ColourQuestion {
  sink: TextSink;
  env: Readonly<Record<string, string | undefined>>;
  /** `--no-color` was given. */
  noColor: boolean;
}

/** `--no-color` and `NO_COLOR` win, then `FORCE_COLOR`, then whether a person is looking. */
export function wantsColour({ sink, env, noColor }: ColourQuestion): boolean {
  if (noColor || (env["NO_COLOR"] ?? "") !== "") return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return sink.isTTY === true && env["TERM"] !== "dumb";
}

export function createStyle(colour: boolean): Style {
  const as = (format: Parameters<typeof styleText>[0]) =>
    colour
      ? (text: string) => (text === "" ? "" : styleText(format, text, { validateStream: false }))
      : (text: string) => text;
  return {
    bold: as("bold"),
    dim: as("dim"),
    good: as("green"),
    warn: as("yellow"),
    bad: as("red"),
  };
}
