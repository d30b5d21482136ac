import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasCode, isObject, writePrivateFile } from "@openclaw/app-kit";

export { bannerLines } from "./banner.ts";

/** What a running Gateway leaves in its state directory, so that others can name it. */
export interface GatewayInstance {
  pid: number;
  port: number;
  url: string;
  version: string;
  startedAtMs: number;
  /** Absent where an earlier release wrote the file. */
  ways?: InstanceWays;
}

/** The ways to a running Gateway, as it has told them to the person who started it. */
export interface InstanceWays {
  /** Each address to connect to; none of them is a wildcard where the machine has others. */
  urls: readonly string[];
  /** `token`, `password`, `none` or `trusted-proxy`. */
  authMode: string;
  /** What Tailscale shows of it. */
  exposure?: { mode: "serve" | "funnel"; url: string; wsUrl: string };
  /** SHA-256 of the certificate that it shows itself. */
  tlsFingerprint?: string;
}

export function instancePath(stateDir: string): string {
  return join(stateDir, "gateway", "instance.json");
}

/** The Gateway that last used this state directory; it may be long dead. */
export function readInstance(stateDir: string): GatewayInstance | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(instancePath(stateDir), "utf8"));
    if (!isObject(value)) return undefined;
    const { pid, port, ways, ...rest } = value;
    if (!Number.isInteger(pid) || !Number.isInteger(port)) return undefined;
    // Checked above: the two fields that decide anything; the rest is only shown.
    const shown = { ...rest, pid, port, ...(isWays(ways) ? { ways } : {}) };
    return shown as unknown as GatewayInstance;
  } catch {
    return undefined;
  }
}

function isWays(value: unknown): boolean {
  return isObject(value) && Array.isArray(value["urls"]) && typeof value["authMode"] === "string";
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
