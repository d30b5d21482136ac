import { type FileHandle, open } from "node:fs/promises";
import { hasCode } from "@openclaw/app-kit";
import { logsTailLimits, type LogsTailResult } from "@openclaw/protocol";
import type { LogLocation } from "./log-location.ts";

export interface TailQuestion {
  /** As the last answer had it; without it, the end of the log. */
  readonly cursor?: number | undefined;
  readonly limit?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** A piece of the log, and whether more lines are there already. */
export interface LogTail extends LogsTailResult {
  more?: boolean;
}

/**
 * A cursor is a position in a certain file: the upper digits are of the file's inode, which it keeps
 * when it is put aside, so that what was written before a rotation is still read after it. An upper
 * part of 0 means the newest file, as in cursors of other Gateways.
 */
const POSITIONS = 2 ** 40;
const MARKS = 2 ** 13 - 1;
const NEWLINE = 0x0a;

interface Candidate {
  readonly path: string;
  readonly mark: number;
  readonly size: number;
}

interface Piece {
  readonly lines: string[];
  /** Where the next piece begins. */
  readonly end: number;
  /** Before the first line of the piece. */
  readonly skipped: number;
}

/**
 * Reads lines of a log: without a cursor its end, with one what follows, in pieces until `more` is
 * gone. When a file was read to its end and there is a newer one, the next answer begins that one and
 * says `reset`. A line that is not finished yet waits for the next question.
 */
export async function tailLog(
  location: LogLocation,
  {
    cursor,
    limit = logsTailLimits.lines.default,
    maxBytes = logsTailLimits.bytes.default,
  }: TailQuestion,
  nowMs = Date.now(),
): Promise<LogTail> {
  const files = await candidates(location);
  const newest = files.at(-1);
  if (newest === undefined) {
    return {
      file: location.fileAt(nowMs),
      cursor: 0,
      size: 0,
      lines: [],
      ...(cursor === undefined || cursor === 0 ? {} : { reset: true }),
    };
  }
  if (cursor === undefined) return readEnd(newest, limit, maxBytes, {});
  const at = findPosition(files, newest, cursor);
  if (at === undefined) return readEnd(newest, limit, maxBytes, { reset: true });

  const answer = await readOn(at.file, at.position, limit, maxBytes);
  const next = files[files.indexOf(at.file) + 1];
  if (next === undefined || answer.more === true || answer.lines.length > 0) {
    return { ...answer, ...(next === undefined ? {} : { more: true }) };
  }
  const begun = await readOn(next, 0, limit, maxBytes);
  return { ...begun, reset: true, ...(next === newest ? {} : { more: true }) };
}

async function candidates(location: LogLocation): Promise<Candidate[]> {
  const found = await Promise.all(
    location.files().map((path) =>
      withFile(path, async (handle) => {
        const { ino, size } = await handle.stat();
        return { path, mark: (ino % MARKS) + 1, size };
      }),
    ),
  );
  return found.filter((file) => file !== undefined);
}

function findPosition(
  files: readonly Candidate[],
  newest: Candidate,
  cursor: number,
): { file: Candidate; position: number } | undefined {
  const mark = Math.floor(cursor / POSITIONS);
  const position = cursor % POSITIONS;
  const file = mark === 0 ? newest : files.find((candidate) => candidate.mark === mark);
  // A file that is shorter than it was has been emptied.
  return file === undefined || position > file.size ? undefined : { file, position };
}

async function readEnd(
  file: Candidate,
  limit: number,
  maxBytes: number,
  more: Pick<LogsTailResult, "reset">,
): Promise<LogTail> {
  const start = Math.max(0, file.size - maxBytes);
  // One byte before tells whether the piece begins a line.
  const from = Math.max(0, start - 1);
  const bytes = await readBytes(file, from, file.size - from);
  const piece = finishedLines(bytes, from, { isInLine: start > 0 });
  const lines = piece.lines.slice(-limit);
  return {
    ...answerOf(file, piece.end),
    lines,
    ...(piece.skipped > 0 || lines.length < piece.lines.length ? { truncated: true } : {}),
    ...more,
  };
}

async function readOn(
  file: Candidate,
  position: number,
  limit: number,
  maxBytes: number,
): Promise<LogTail> {
  const wanted = Math.min(maxBytes, file.size - position);
  const bytes = await readBytes(file, position, wanted);
  const piece = finishedLines(bytes, position, { isInLine: false });
  if (piece.lines.length === 0 && wanted === maxBytes) {
    // A line that is longer than anybody wants to read.
    return {
      ...answerOf(file, position + wanted),
      lines: [],
      truncated: true,
      skippedBytes: wanted,
      more: true,
    };
  }
  const lines = piece.lines.slice(0, limit);
  const isCut = lines.length < piece.lines.length;
  const end = isCut ? position + endOfLine(bytes, limit) : piece.end;
  return {
    ...answerOf(file, end),
    lines,
    ...(isCut || (wanted < file.size - position && lines.length > 0) ? { more: true } : {}),
  };
}

function answerOf(file: Candidate, position: number) {
  const { path, mark, size } = file;
  return { file: path, cursor: mark * POSITIONS + position, size };
}

/** The whole lines of a piece of a file that begins at `from`. */
function finishedLines(bytes: Buffer, from: number, { isInLine }: { isInLine: boolean }): Piece {
  const start = isInLine ? bytes.indexOf(NEWLINE) + 1 : 0;
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (end <= start) return { lines: [], end: from + Math.max(start, end), skipped: from + start };
  const text = bytes.subarray(start, end - 1).toString("utf8");
  return { lines: text.split("\n"), end: from + end, skipped: from + start };
}

/** Where the line of that number ends, counted from 1. */
function endOfLine(bytes: Buffer, count: number): number {
  let end = 0;
  for (let line = 0; line < count; line += 1) end = bytes.indexOf(NEWLINE, end) + 1;
  return end;
}

async function readBytes({ path }: Candidate, from: number, length: number): Promise<Buffer> {
  const bytes = await withFile(path, async (handle) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, from);
    return buffer.subarray(0, bytesRead);
  });
  return bytes ?? Buffer.alloc(0);
}

/** Undefined when the file is gone: it may be put aside or removed at any time. */
async function withFile<T>(
  path: string,
  work: (handle: FileHandle) => Promise<T>,
): Promise<T | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
