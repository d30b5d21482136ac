import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasCode, isObject, writePrivateFile } from "@openclaw/app-kit";

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
    if (!isObject(value)) return undefined;
    const { pid, port } = value;
    // Checked above: the two fields that decide anything; the rest is only shown.
    return Number.isInteger(pid) && Number.isInteger(port)
      ? (value as unknown as GatewayInstance)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the file; the returned function removes it if it is still ours. */
export function writeInstance(stateDir: string, instance: GatewayInstance): () => void {
  const path = instancePath(stateDir);
  writePrivateFile(path, `${JSON.stringify(instance)}\n`);
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
    return hasCode(error, "EPERM");
  }
}
