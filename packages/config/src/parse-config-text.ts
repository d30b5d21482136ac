import { type ConfigIssue, ROOT_PATH } from "./config-issue.ts";

/** The value of a JSON5 text, or where it stops being JSON5. */
export type ParsedText = { ok: true; value: unknown } | { ok: false; issue: ConfigIssue };

/** How deep a config may be nested; no real one comes near, and what walks it may call itself. */
export const MAX_NESTING = 100;

/**
 * Parses JSON5. Plain JSON, which is what this program writes, is tried first, so that the JSON5
 * parser is loaded only for files that people wrote by hand.
 */
export async function parseConfigText(text: string): Promise<ParsedText> {
  const body = text.replace(/^\uFEFF/u, "");
  if (body.trim() === "") return { ok: true, value: {} };
  try {
    return notTooDeep(JSON.parse(body));
  } catch {
    // Not plain JSON, hence JSON5 or broken; its parser tells the position.
  }
  const { default: json5 } = await import("json5");
  try {
    return notTooDeep(json5.parse<unknown>(body));
  } catch (error) {
    return { ok: false, issue: syntaxIssue(error) };
  }
}

function notTooDeep(value: unknown): ParsedText {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_NESTING) {
      const message = `nested deeper than ${MAX_NESTING} levels`;
      return { ok: false, issue: { kind: "syntax", path: ROOT_PATH, message } };
    }
    level = level.flatMap((part) =>
      typeof part === "object" && part !== null ? Object.values(part) : [],
    );
  }
  return { ok: true, value };
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
