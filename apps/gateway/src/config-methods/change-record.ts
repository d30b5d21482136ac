import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasCode, isObject, writePrivateFile } from "@openclaw/app-kit";

/** A change of the config that is taken back unless somebody confirms it. */
export interface ChangeRecord {
  readonly id: string;
  readonly configPath: string;
  /** The text before; `null` where there was no file. Holds secrets. */
  readonly formerText: string | null;
  /** The text after; `null` until it is written. */
  readonly newText: string | null;
  readonly confirmMs: number;
  /** In epoch milliseconds. */
  readonly expiresAtMs: number;
}

/** Where the record of a Gateway is, 0600. */
export function changeRecordPath(stateDir: string): string {
  return join(stateDir, "gateway", "config-change.json");
}

/** The change that waits; a record that cannot be read is none, and says so by `onUnreadable`. */
export function readChangeRecord(
  path: string,
  onUnreadable: (error: unknown) => void,
): ChangeRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!isRecord(value)) throw new Error("it is not a record of a config change");
    return value;
  } catch (error) {
    if (!hasCode(error, "ENOENT")) onUnreadable(error);
    return undefined;
  }
}

export function writeChangeRecord(path: string, record: ChangeRecord): void {
  writePrivateFile(path, `${JSON.stringify(record)}\n`);
}

export function removeChangeRecord(path: string): void {
  rmSync(path, { force: true });
}

function isRecord(value: unknown): value is ChangeRecord {
  if (!isObject(value)) return false;
  const { id, configPath, formerText, newText, confirmMs, expiresAtMs } = value;
  return (
    typeof id === "string" &&
    typeof configPath === "string" &&
    (formerText === null || typeof formerText === "string") &&
    (newText === null || typeof newText === "string") &&
    typeof confirmMs === "number" &&
    typeof expiresAtMs === "number"
  );
}
