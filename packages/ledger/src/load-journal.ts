import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LedgerError } from "./errors.ts";
import type { LedgerFileSystem } from "./file-system.ts";
import {
  createIndexEntry,
  createLedgerIndex,
  type LedgerIndex,
  type Segment,
} from "./ledger-index.ts";
import type { Logger } from "./logger.ts";
import { JOURNAL_VERSION, type JournalRecord } from "./record-line.ts";
import { segmentName, segmentNumbers } from "./segment-names.ts";
import { padding, scanSegment, type DamagedStretch } from "./segment-scan.ts";

export interface LoadedJournal {
  index: LedgerIndex;
  /** Oldest first. */
  segments: Segment[];
}

interface Damage {
  segment: Segment;
  stretch: DamagedStretch;
  isLastSegment: boolean;
}

/**
 * Reads the journal of a directory into an index.
 *
 * What an interrupted write left behind is cut off: an unfinished line at the end (a process that was
 * killed), or zeros where pages never reached the disk (a machine that lost power), unless a later
 * checkpoint says that they had reached it. Everything else that does not match its checksum is an
 * error, and nothing is changed.
 *
 * @throws LedgerError `CORRUPT` with file and offset, `IO`
 */
export function loadJournal(
  directory: string,
  fs: LedgerFileSystem,
  logger: Logger,
): LoadedJournal {
  const index = createLedgerIndex();
  const segments: Segment[] = [];
  const damages: Damage[] = [];
  let durable = { segment: 0, bytes: 0 };

  const numbers = segmentNumbers(readNames(directory, fs));
  for (const [position, number] of numbers.entries()) {
    const path = join(directory, segmentName(number));
    const expected = (numbers[0] ?? number) + position;
    if (number !== expected) {
      const missing = join(directory, segmentName(expected));
      throw corrupt(missing, 0, "the file is missing, although later ones are there");
    }
    const bytes = readSegment(path, fs);
    const segment = {
      number,
      path,
      sizeBytes: bytes.length,
      liveOpen: 0,
      liveFinished: 0,
      liveBytes: 0,
    };
    segments.push(segment);
    for (const piece of scanSegment(bytes)) {
      if (piece.kind === "damage") {
        damages.push({ segment, stretch: piece, isLastSegment: position === numbers.length - 1 });
        continue;
      }
      const { record, offset, length } = piece;
      if (offset === 0) checkHeader(record, segment);
      if (record.t === "c") durable = { segment: record.n, bytes: record.b };
      else apply(index, record, segment, offset, length);
    }
  }

  for (const { segment, stretch } of damages) {
    const wasDurable =
      segment.number < durable.segment ||
      (segment.number === durable.segment && stretch.offset < durable.bytes);
    if (!stretch.isTorn || wasDurable) {
      throw corrupt(segment.path, stretch.offset, "the record does not match its checksum");
    }
  }
  for (const damage of damages) repair(damage, logger);
  return { index, segments };
}

function apply(
  index: LedgerIndex,
  record: JournalRecord,
  segment: Segment,
  offset: number,
  length: number,
): void {
  if (record.t !== "o" && record.t !== "f" && record.t !== "x") return;
  const former = index.get(record.k);
  if (former !== undefined) index.remove(former);
  if (record.t === "x") return;
  const entry = createIndexEntry(record.k, record.f, record.a, record.m);
  if (record.t === "f") {
    entry.stage = "finished";
    entry.finishedAtMs = record.z;
  }
  entry.segment = segment;
  entry.offset = offset;
  entry.length = length;
  index.add(entry);
}

function checkHeader(record: JournalRecord, segment: Segment): void {
  if (record.t === "s" && record.n === segment.number && record.v === JOURNAL_VERSION) return;
  const problem =
    record.t === "s" && record.v !== JOURNAL_VERSION
      ? `the format version is ${record.v}, this release reads ${JOURNAL_VERSION}`
      : "the file does not begin with the header of its segment";
  throw corrupt(segment.path, 0, problem);
}

function repair({ segment, stretch, isLastSegment }: Damage, logger: Logger): void {
  const isTail = stretch.offset + stretch.length === segment.sizeBytes;
  const fields = { file: segment.path, offset: stretch.offset, bytes: stretch.length };
  try {
    const fd = openSync(segment.path, "r+");
    try {
      if (isTail) ftruncateSync(fd, stretch.offset);
      else writeSync(fd, padding(stretch.length), 0, stretch.length, stretch.offset);
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new LedgerError("IO", `cannot repair ${segment.path}: ${String(cause)}`, {
      cause,
      file: segment.path,
    });
  }
  if (isTail) segment.sizeBytes = stretch.offset;
  if (isTail && isLastSegment) logger.info(fields, "ledger: an unfinished write was cut off");
  else logger.warn(fields, "ledger: records that never reached the disk are missing");
}

function readNames(directory: string, fs: LedgerFileSystem): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (cause) {
    throw new LedgerError("IO", `cannot list ${directory}: ${String(cause)}`, {
      cause,
      file: directory,
    });
  }
}

function readSegment(path: string, fs: LedgerFileSystem): Buffer {
  try {
    return fs.readFileSync(path);
  } catch (cause) {
    throw new LedgerError("IO", `cannot read ${path}: ${String(cause)}`, { cause, file: path });
  }
}

function corrupt(file: string, offset: number, problem: string): LedgerError {
  return new LedgerError("CORRUPT", `${file} is damaged at byte ${offset}: ${problem}`, {
    file,
    offset,
    hint:
      "Nothing was changed. Restore the directory from a backup, or move it away to start without " +
      "the invocations recorded in it.",
  });
}
