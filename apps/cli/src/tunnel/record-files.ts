import { randomUUID } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { hasCode, writePrivateFile } from "@openclaw/app-kit";
import { loadSshWay } from "@openclaw/app-kit/ssh-way";
import { isAlive } from "@openclaw/gateway/instance-file";
import {
  type FailureRecord,
  parseFailureRecord,
  parseTunnelRecord,
  type TunnelRecord,
} from "./tunnel-record.ts";

/** Where the tunnels of a state directory are written down: 0700, each in a file of its own, 0600. */
export function recordFolder(stateDir: string): string {
  return join(stateDir, "tunnels");
}

function recordPath(stateDir: string, name: string): string {
  return join(recordFolder(stateDir), `${name}.json`);
}

/** Names hold no dot, so that no tunnel has this for its own file. */
function failurePath(stateDir: string, name: string): string {
  return join(recordFolder(stateDir), `${name}.failed.json`);
}

/** The tunnels that run, and the names of those whose process was killed. */
export interface FoundRecords {
  readonly running: readonly TunnelRecord[];
  /** Their records were removed. */
  readonly removed: readonly string[];
}

/** Reads every record. Those of dead processes are removed; other files are left alone. */
export async function readRecords(stateDir: string): Promise<FoundRecords> {
  const names = filesIn(recordFolder(stateDir)).flatMap(
    (file) => /^([^.]+)\.json$/u.exec(file)?.[1] ?? [],
  );
  const running: TunnelRecord[] = [];
  const removed: string[] = [];
  for (const name of names) {
    const path = recordPath(stateDir, name);
    const text = readText(path);
    const record = text === undefined ? undefined : parseTunnelRecord(text);
    if (text === undefined || record === undefined) continue;
    // Few tunnels run at once, and most systems answer from memory.
    // oxlint-disable-next-line no-await-in-loop
    if (await isRunning(record)) running.push(record);
    else if (removeExactly(path, text)) removed.push(name);
  }
  return { running, removed };
}

/**
 * Writes a record under a name that no running tunnel has, in one step, so that of two programs that
 * start at once only one gets it.
 *
 * @returns the record that has the name, or undefined when it is now that of the caller; null when a
 * file that is no record is in the way
 */
export async function claimRecord(
  stateDir: string,
  record: TunnelRecord,
): Promise<TunnelRecord | null | undefined> {
  const path = recordPath(stateDir, record.name);
  mkdirSync(recordFolder(stateDir), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}.tmp`;
  writeFileSync(draft, textOf(record), { mode: 0o600, flag: "wx" });
  try {
    for (;;) {
      if (linkedAs(draft, path)) return undefined;
      const text = readText(path);
      // It went away just now.
      if (text === undefined) continue;
      const other = parseTunnelRecord(text);
      if (other === undefined) return null;
      // oxlint-disable-next-line no-await-in-loop
      if (await isRunning(other)) return other;
      removeExactly(path, text);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Replaces the record that the caller has claimed. */
export function writeRecord(stateDir: string, record: TunnelRecord): void {
  writePrivateFile(recordPath(stateDir, record.name), textOf(record));
}

/** Removes the record of a process, if the file is still its own. */
export function removeRecord(stateDir: string, { name, pid, startTime }: TunnelRecord): void {
  const path = recordPath(stateDir, name);
  const text = readText(path);
  const record = text === undefined ? undefined : parseTunnelRecord(text);
  if (record?.pid === pid && record.startTime === startTime) rmSync(path, { force: true });
}

export function writeFailure(stateDir: string, failure: FailureRecord): void {
  writePrivateFile(failurePath(stateDir, failure.name), textOf(failure));
}

export function readFailure(stateDir: string, name: string): FailureRecord | undefined {
  const text = readText(failurePath(stateDir, name));
  return text === undefined ? undefined : parseFailureRecord(text);
}

export function removeFailure(stateDir: string, name: string): void {
  rmSync(failurePath(stateDir, name), { force: true });
}

/** Whether the process that wrote a record is still there, and not another with its number. */
export async function isRunning({
  pid,
  startTime,
}: Pick<TunnelRecord, "pid" | "startTime">): Promise<boolean> {
  if (startTime === null) return isAlive(pid);
  return (await startTimeOf(pid)) === startTime;
}

/** When a process began; undefined when there is none, or the system does not tell. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  const { inspectProcess } = await loadSshWay();
  return (await inspectProcess(pid))?.startTime;
}

/**
 * Removes a file only if it says what was read: meanwhile another program may have found the same
 * dead record, and have put its own in the place.
 */
function removeExactly(path: string, text: string): boolean {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
  const isSame = readText(aside) === text;
  if (!isSame) linkedAs(aside, path);
  rmSync(aside, { force: true });
  return isSame;
}

/** Puts a file in a place that is free; false when it is not. */
function linkedAs(file: string, path: string): boolean {
  try {
    linkSync(file, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

function textOf(record: TunnelRecord | FailureRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}
