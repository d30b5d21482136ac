/** Reads a variable that the test must have set. */
export function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Reads a number, or returns the default when the variable is not set. */
export function numberOr(name: string, fallback: number): number {
  const value = process.env[name];
  return value ? Number(value) : fallback;
}

/** Prints what a library logs, one JSON line each, on stderr. */
export const stderrLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: print,
  error: print,
  child: () => stderrLogger,
};

function print(fields: { err?: unknown }, message: string): void {
  const { err, ...rest } = fields;
  const cause = err instanceof Error ? { error: err.message } : {};
  console.error(JSON.stringify({ message, ...rest, ...cause }));
}
