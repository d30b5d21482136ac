import { parseLine, type JournalRecord } from "./record-line.ts";

/** A stretch of a segment that holds no valid record. */
export interface DamagedStretch {
  kind: "damage";
  offset: number;
  length: number;
  /**
   * The stretch is what an interrupted write leaves behind: an unfinished line at the end of the
   * file, or zeros where a page never reached the disk. Anything else is damage to written data.
   */
  isTorn: boolean;
}

export type ScannedPiece =
  | { kind: "record"; record: JournalRecord; offset: number; length: number }
  | DamagedStretch;

/**
 * Walks through the bytes of one segment. Neighbouring damaged lines come as one stretch; lines of
 * spaces only, which a repair leaves, are passed over.
 */
export function* scanSegment(bytes: Buffer): Generator<ScannedPiece> {
  let damageStart = -1;
  let offset = 0;
  while (offset < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, offset);
    const end = newline === -1 ? bytes.length : newline;
    const next = newline === -1 ? end : newline + 1;
    const start = afterZeros(bytes, offset, end);
    const line = bytes.subarray(start, end);
    const record = newline === -1 ? undefined : parseLine(line);
    const isDamaged = record === undefined && !(newline !== -1 && isPadding(line));
    if (damageStart === -1 && (isDamaged || start > offset)) damageStart = offset;
    if (!isDamaged) {
      if (damageStart !== -1) yield damaged(bytes, damageStart, start);
      damageStart = -1;
      if (record !== undefined) {
        yield { kind: "record", record, offset: start, length: next - start };
      }
    }
    offset = next;
  }
  if (damageStart !== -1) yield damaged(bytes, damageStart, bytes.length);
}

/** Bytes that {@link scanSegment} passes over: spaces and a newline. */
export function padding(length: number): Buffer {
  const bytes = Buffer.alloc(length, SPACE);
  bytes[length - 1] = NEWLINE;
  return bytes;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Where the text of a line begins whose first part are zeros: no record contains a zero byte. */
function afterZeros(bytes: Buffer, offset: number, end: number): number {
  const lastZero = bytes.subarray(offset, end).lastIndexOf(0);
  return offset + lastZero + 1;
}

function isPadding(line: Buffer): boolean {
  return line.every((byte) => byte === SPACE);
}

function damaged(bytes: Buffer, offset: number, end: number): DamagedStretch {
  const stretch = bytes.subarray(offset, end);
  const isUnfinishedLine = end === bytes.length && stretch.indexOf(NEWLINE) === -1;
  return {
    kind: "damage",
    offset,
    length: end - offset,
    isTorn: isUnfinishedLine || stretch.includes(0),
  };
}
