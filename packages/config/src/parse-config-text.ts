import { type ConfigIssue, ROOT_PATH } from "./config-issue.ts";

/** The value of a JSON5 text, or where it stops being JSON5. */
export type ParsedText = { ok: true; value: unknown } | { ok: false; issue: ConfigIssue };

/**
 * Parses JSON5. Plain JSON, which is what this program writes, is tried first, so that the JSON5
 * parser is loaded only for files that people wrote by hand.
 */
export async function parseConfigText(text: string): Promise<ParsedText> {
  const body = text.replace(/^\uFEFF/u, "");
  if (body.trim() === "") return { ok: true, value: {} };
  try {
    return { ok: true, value: JSON.parse(body) as unknown };
  } catch {
    // Not plain JSON, hence JSON5 or broken; its parser tells the position.
  }
  const { default: json5 } = await import("json5");
  try {
    return { ok: true, value: json5.parse<unknown>(body) };
  } catch (error) {
    return { ok: false, issue: syntaxIssue(error) };
  }
}

function syntaxIssue(error: unknown): ConfigIssue {
  const text = error instanceof Error ? error.message : String(error);
  const line = positionOf(error, "lineNumber");
  const column = positionOf(error, "columnNumber");
  const what = text.replace(/^JSON5: /u, "").replace(/ at \d+:\d+$/u, "");
  const where = line === undefined ? "" : ` at line ${line}, column ${column ?? 1}`;
  return {
    kind: "syntax",
    path: ROOT_PATH,
    message: `not valid JSON5${where}: ${what}`,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  };
}

function positionOf(error: unknown, key: "lineNumber" | "columnNumber"): number | undefined {
  // json5 adds both numbers to its SyntaxError; its types do not say so.
  const value = (error as Partial<Record<typeof key, unknown>> | undefined)?.[key];
  return typeof value === "number" ? value : undefined;
}
