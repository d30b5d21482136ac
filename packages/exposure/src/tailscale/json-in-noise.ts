/** So many lines that begin with a brace are tried at most. */
const MAX_ATTEMPTS = 50;

/**
 * The JSON object in what a program printed. Warnings and news may stand before and after it, and hold
 * braces of their own, so each line that begins with a brace may be its beginning.
 *
 * @returns undefined when there is none.
 */
export function jsonInNoise(text: string): Readonly<Record<string, unknown>> | undefined {
  const end = text.lastIndexOf("}") + 1;
  let start = text.indexOf("{");
  for (let attempt = 0; attempt < MAX_ATTEMPTS && start !== -1 && start < end; attempt += 1) {
    const value = parse(text.slice(start, end)) ?? parse(upToClosingLine(text.slice(start, end)));
    if (isObject(value)) return value;
    const nextLine = text.indexOf("\n{", start);
    start = nextLine === -1 ? -1 : nextLine + 1;
  }
  return undefined;
}

/** A plain object: not null, not a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text up to the first line that is one closing brace, as a document printed with indents ends. */
function upToClosingLine(text: string): string {
  const end = text.search(/^\}/mu);
  return end === -1 ? text : text.slice(0, end + 1);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
