import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The secret of a Gateway that was started on loopback without one. It lives in a file that only
 * this user can read, for as long as that Gateway runs, so that the command line on the same host
 * gets in and nobody else does.
 */
export interface RunToken {
  token: string;
  /** The port it is for; a Gateway on another port does not get it. */
  port: number;
  pid: number;
}

export function runTokenPath(stateDir: string): string {
  return join(stateDir, "gateway", "run-token");
}

/** The token of the Gateway that listens on `port` of this host, if it was started without a secret. */
export function readRunToken(stateDir: string, port: number): string | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(runTokenPath(stateDir), "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { token, port: tokenPort } = value as Partial<RunToken>;
    return typeof token === "string" && tokenPort === port ? token : undefined;
  } catch {
    // Absent, half-gone or not ours to read: all mean that there is no such token.
    return undefined;
  }
}

/** Writes the file, mode 0600, in one step; the returned function removes it if it is still ours. */
export function writeRunToken(stateDir: string, value: RunToken): () => void {
  const path = runTokenPath(stateDir);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${value.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
  return () => {
    if (readRunToken(stateDir, value.port) === value.token) rmSync(path, { force: true });
  };
}
