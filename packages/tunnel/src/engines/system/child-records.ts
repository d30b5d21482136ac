import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { inspectProcess, isSameProcess, type ProcessEntry } from "./process-table.ts";
import { endGroup } from "./process-group.ts";
import { isPrivateDirectoryName } from "./private-directory.ts";

/** Where in the state directory the records are. */
const FOLDER = "ssh-children";
/** Grace of SIGTERM for an orphan; then its group is killed. */
const ORPHAN_GRACE_MS = 500;

/** What is written down about a child, so that a later run recognises it. */
interface ChildRecord {
  readonly version: 1;
  readonly pid: number;
  readonly startTime: string;
  readonly commandLine: readonly string[];
  readonly ownerPid: number;
  readonly ownerStartTime: string;
  /** Local ports it listens on itself. */
  readonly localPorts: readonly number[];
  /** Its private directory, which goes with it. */
  readonly directory: string | undefined;
}

/** The record of one child. */
export interface RecordedChild {
  /** Writes down how the child looks now: ssh changes its own command line. */
  refresh(): Promise<void>;
  /** The child has ended. */
  forget(): Promise<void>;
}

export interface RecordChildOptions {
  readonly pid: number;
  readonly localPorts?: readonly number[];
  readonly directory?: string;
}

/** An orphan that was ended. */
export interface ReapedOrphan {
  readonly pid: number;
  readonly commandLine: readonly string[];
  readonly localPorts: readonly number[];
}

/**
 * Writes down a child of this process: directory 0700, file 0600, each child in a file of its own, so
 * that several processes never write to the same one.
 */
export async function recordChild(
  stateDirectory: string,
  { pid, localPorts = [], directory }: RecordChildOptions,
): Promise<RecordedChild> {
  const folder = join(stateDirectory, FOLDER);
  const path = join(folder, `${pid}-${randomUUID().slice(0, 8)}.json`);
  let isForgotten = false;
  // One write at a time, in order; a failed one does not keep back the next.
  let last: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    const [child, owner] = await Promise.all([inspectProcess(pid), inspectProcess(process.pid)]);
    if (child === undefined || owner === undefined || isForgotten) return;
    const record: ChildRecord = {
      version: 1,
      pid,
      startTime: child.startTime,
      commandLine: child.commandLine,
      ownerPid: owner.pid,
      ownerStartTime: owner.startTime,
      localPorts,
      directory,
    };
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
    await writeFile(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600, flag: "wx" });
    await rename(temporary, path);
  }

  function queue(step: () => Promise<void>): Promise<void> {
    last = last.then(step, step);
    return last;
  }

  await queue(write);
  return {
    refresh: () => queue(write),
    forget() {
      isForgotten = true;
      return queue(() => rm(path, { force: true }));
    },
  };
}

/**
 * Ends what a killed owner has left behind. A process is ended only where its number, its start time
 * and its exact command line are those of the record and its owner is gone; everything else is left
 * alone, and a record that fits nothing is removed.
 */
export async function reapOrphans(stateDirectory: string): Promise<readonly ReapedOrphan[]> {
  const reaped = await Promise.all(
    (await readRecords(stateDirectory)).map(async ({ path, record }) => {
      if (await isAlive(record.ownerPid, record.ownerStartTime)) return undefined;
      const orphan = await orphanOf(record);
      if (orphan !== undefined) {
        // Asked again before the hard signal: by then the number may be another process.
        const isStillThere = async (): Promise<boolean> => (await orphanOf(record)) !== undefined;
        await endGroup(orphan, { graceMs: ORPHAN_GRACE_MS, isStillThere });
      }
      await removeDirectory(record.directory);
      await rm(path, { force: true });
      const { pid, commandLine, localPorts } = record;
      return orphan && { pid, commandLine, localPorts };
    }),
  );
  return reaped.filter((orphan) => orphan !== undefined);
}

/** Whether a process is a child of an earlier run whose owner is gone. Only looks. */
export async function isOwnOrphan(stateDirectory: string, pid: number): Promise<boolean> {
  const records = await readRecords(stateDirectory);
  for (const { record } of records) {
    if (record.pid !== pid) continue;
    // Rarely more than one has the number.
    // oxlint-disable-next-line no-await-in-loop
    if (await isAlive(record.ownerPid, record.ownerStartTime)) continue;
    // oxlint-disable-next-line no-await-in-loop
    if ((await orphanOf(record)) !== undefined) return true;
  }
  return false;
}

async function orphanOf(record: ChildRecord): Promise<ProcessEntry | undefined> {
  const entry = await inspectProcess(record.pid);
  if (entry === undefined || !isSameProcess(entry, record)) return undefined;
  return entry.parentPid === record.ownerPid ? undefined : entry;
}

async function isAlive(pid: number, startTime: string): Promise<boolean> {
  return (await inspectProcess(pid))?.startTime === startTime;
}

interface StoredRecord {
  readonly path: string;
  readonly record: ChildRecord;
}

async function readRecords(stateDirectory: string): Promise<readonly StoredRecord[]> {
  const folder = join(stateDirectory, FOLDER);
  const names = await readdir(folder).catch(() => []);
  const records = await Promise.all(
    names
      .filter((name) => name.endsWith(".json"))
      .map(async (name) => {
        const path = join(folder, name);
        const record = parseRecord(await readFile(path, "utf8").catch(() => ""));
        return record && { path, record };
      }),
  );
  return records.filter((found) => found !== undefined);
}

/** A file that is no record of ours is left as it is: nothing follows from it. */
function parseRecord(text: string): ChildRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const record = value as Partial<Record<keyof ChildRecord, unknown>>;
  const isRecord =
    record.version === 1 &&
    isPid(record.pid) &&
    isPid(record.ownerPid) &&
    typeof record.startTime === "string" &&
    typeof record.ownerStartTime === "string" &&
    isListOf(record.commandLine, "string") &&
    isListOf(record.localPorts, "number") &&
    (record.directory === undefined || typeof record.directory === "string");
  // Every field was looked at.
  return isRecord ? (value as ChildRecord) : undefined;
}

function isPid(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 1;
}

function isListOf(value: unknown, type: "string" | "number"): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}

/** Only a directory of ours by name and owner, never what a link leads to. */
async function removeDirectory(directory: string | undefined): Promise<void> {
  if (directory === undefined || !isPrivateDirectoryName(basename(directory))) return;
  const stats = await lstat(directory).catch(() => undefined);
  if (!stats?.isDirectory() || stats.uid !== process.getuid?.()) return;
  await rm(directory, { recursive: true, force: true });
}
