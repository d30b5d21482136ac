import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What a running Gateway leaves in its state directory, so that others can name it. */
export interface GatewayInstance {
  pid: number;
  port: number;
  url: string;
  version: string;
  startedAtMs: number;
}

export function instancePath(stateDir: string): string {
  return join(stateDir, "gateway", "instance.json");
}

/** The Gateway that last used this state directory; it may be long dead. */
export function readInstance(stateDir: string): GatewayInstance | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(instancePath(stateDir), "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, port } = value as Partial<GatewayInstance>;
    // Checked above: the two fields that decide anything; the rest is only shown.
    return Number.isInteger(pid) && Number.isInteger(port) ? (value as GatewayInstance) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the file; the returned function removes it if it is still ours. */
export function writeInstance(stateDir: string, instance: GatewayInstance): () => void {
  const path = instancePath(stateDir);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${instance.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(instance)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
  return () => {
    if (readInstance(stateDir)?.pid === instance.pid) rmSync(path, { force: true });
  };
}

/** Whether a process of that id exists; one of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
