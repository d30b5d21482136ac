/** The part of `process` that this file touches. */
interface WarningSource {
  emitWarning: (typeof process)["emitWarning"];
}

const MUTED = Symbol.for("openclaw.quiet-sqlite");

/**
 * Keeps Node 22 from telling every user that `node:sqlite` is experimental: the use of it is this
 * program's choice and nothing a user could act on. Every other warning passes.
 */
export function quietSqlite(target: WarningSource & { [MUTED]?: boolean }): void {
  if (target[MUTED] === true) return;
  target[MUTED] = true;
  const emitWarning = target.emitWarning;
  const quiet = (warning: string | Error, ...rest: unknown[]): void => {
    const text = typeof warning === "string" ? warning : warning.message;
    if (text.startsWith("SQLite is an experimental feature")) return;
    Reflect.apply(emitWarning, target, [warning, ...rest]);
  };
  target.emitWarning = quiet;
}
