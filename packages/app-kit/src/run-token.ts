import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type GatewayTarget, isLoopbackHost } from "@openclaw/config";
import { isObject } from "./json-object.ts";
import { writePrivateFile } from "./private-file.ts";
import { portOf } from "./url-port.ts";

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
    if (!isObject(value) || value["port"] !== port) return undefined;
    return typeof value["token"] === "string" ? value["token"] : undefined;
  } catch {
    // Absent, half-gone or not ours to read: all mean that there is no such token.
    return undefined;
  }
}

/**
 * The token to present to a target, if it is a Gateway of this machine that was not named by a URL.
 */
export function findRunToken(
  stateDir: string,
  { kind, url }: Pick<GatewayTarget, "kind" | "url">,
): string | undefined {
  if (kind !== "local" && kind !== "port-flag") return undefined;
  return isLoopbackHost(new URL(url).hostname) ? readRunToken(stateDir, portOf(url)) : undefined;
}

/** Writes the file, mode 0600, in one step; the returned function removes it if it is still ours. */
export function writeRunToken(stateDir: string, value: RunToken): () => void {
  const path = runTokenPath(stateDir);
  writePrivateFile(path, `${JSON.stringify(value)}\n`);
  return () => {
    if (readRunToken(stateDir, value.port) === value.token) rmSync(path, { force: true });
  };
}
