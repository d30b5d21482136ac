import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { hasCode, messageOf, type TextSink } from "@openclaw/app-kit";
import { ASIDE, dailyFiles, type LogLocation, modifiedAt } from "./log-location.ts";

export interface LogFileOptions {
  readonly location: LogLocation;
  /** Told once what keeps lines from the file; they are lost, and the program goes on. */
  readonly onProblem: (message: string) => void;
  /** A file of that size is put aside, in place of the one before. @default 32 MiB */
  readonly maxBytes?: number;
  /** Bytes that wait for a slow disk; lines beyond that are dropped and counted. @default 1 MiB */
  readonly maxPendingBytes?: number;
  readonly now?: () => number;
}

/** A log file that is being written. */
export interface LogFile extends TextSink {
  /** Writes what waits, and closes. Later lines are dropped. */
  close(): void;
}

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
const DEFAULT_MAX_PENDING_BYTES = 1024 * 1024;
/** Files of former days are kept as long, counted from their last line. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  size: number;
}

/**
 * Appends lines to the file of the day. Only this user can read it; a symbolic link, a second name of
 * another file, and a file of somebody else are refused. Writing never waits for the disk and never
 * throws.
 */
export function openLogFile(options: LogFileOptions): LogFile {
  const { location, onProblem, now = Date.now } = options;
  const { maxBytes = DEFAULT_MAX_BYTES, maxPendingBytes = DEFAULT_MAX_PENDING_BYTES } = options;
  let file: OpenFile | undefined;
  let pending: string[] = [];
  let pendingBytes = 0;
  let dropped = 0;
  let isWriting = false;
  let isClosed = false;
  let lastProblem = "";

  const complain = (error: unknown): void => {
    const message = messageOf(error);
    if (message !== lastProblem) onProblem(message);
    lastProblem = message;
  };

  /** The file for lines of now, after rotation. */
  const current = (): OpenFile => {
    const path = location.fileAt(now());
    if (file !== undefined && (file.path !== path || !isSame(file))) shut();
    if (file !== undefined && file.size >= maxBytes) {
      shut();
      renameSync(path, `${path}${ASIDE}`);
    }
    if (file === undefined) {
      file = openPrivately(path);
      removeOldFiles(location, path, now());
    }
    return file;
  };

  const shut = (): void => {
    if (file !== undefined) closeSync(file.descriptor);
    file = undefined;
  };

  const take = (): Buffer => {
    const lines = pending.join("");
    const note = dropped === 0 ? "" : droppedLine(now(), dropped);
    pending = [];
    pendingBytes = 0;
    dropped = 0;
    return Buffer.from(`${lines}${note}`);
  };

  const flush = (): void => {
    if (isWriting || isClosed || pending.length === 0) return;
    isWriting = true;
    const done = (error: unknown): void => {
      isWriting = false;
      if (error !== null) complain(error);
      flush();
    };
    try {
      const target = current();
      const bytes = take();
      target.size += bytes.length;
      // Of a regular file that is appended to, a write is whole or fails.
      write(target.descriptor, bytes, done);
    } catch (error) {
      take();
      done(error);
    }
  };

  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    process.off("exit", close);
    try {
      if (pending.length > 0) writeSync(current().descriptor, take());
    } catch (error) {
      complain(error);
    }
    // A write that is under way has the descriptor still; the end of the process closes it then.
    if (!isWriting) shut();
  };
  // Also where the program ends in a hurry.
  process.on("exit", close);

  return {
    write(text) {
      if (isClosed) return;
      const bytes = Buffer.byteLength(text);
      if (pendingBytes + bytes > maxPendingBytes) {
        dropped += 1;
        return;
      }
      pending.push(text);
      pendingBytes += bytes;
      // Lines of one turn are one write.
      if (pending.length === 1) setImmediate(flush);
    },
    close,
  };
}

/** @throws {Error} when the file is not this user's own, or cannot be had */
function openPrivately(path: string): OpenFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
  let descriptor: number;
  try {
    // Without waiting: a pipe that nobody reads is refused below.
    descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    if (!hasCode(error, "ELOOP")) throw error;
    throw new Error(`${path} is a symbolic link, and no log is written through one`, {
      cause: error,
    });
  }
  const { size, uid, nlink, isFile } = describe(descriptor);
  const own = process.getuid?.() ?? uid;
  const fault = !isFile
    ? "is not a file"
    : uid !== own
      ? "belongs to somebody else"
      : nlink > 1
        ? "has a second name"
        : undefined;
  if (fault === undefined) return { path, descriptor, size };
  closeSync(descriptor);
  throw new Error(`${path} ${fault}, and no log is written there`);
}

function describe(descriptor: number) {
  const stats = fstatSync(descriptor);
  return { size: stats.size, uid: stats.uid, nlink: stats.nlink, isFile: stats.isFile() };
}

/** Whether the path still leads to the file: somebody may have removed or moved it. */
function isSame({ descriptor }: OpenFile): boolean {
  return fstatSync(descriptor).nlink > 0;
}

function removeOldFiles({ directory }: LogLocation, current: string, nowMs: number): void {
  for (const path of dailyFiles(directory)) {
    const at = modifiedAt(path);
    if (path !== current && at !== undefined && nowMs - at > KEPT_MS) rmSync(path, { force: true });
  }
}

function droppedLine(atMs: number, count: number): string {
  const time = new Date(atMs).toISOString();
  return `${JSON.stringify({ time, level: "warn", count, message: "log lines were dropped: the disk is slow" })}\n`;
}
