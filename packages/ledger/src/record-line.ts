import { crc32 } from "node:zlib";
import type { JsonObject } from "./ledger.ts";

/**
 * One line of the journal. Member names are short because every invocation pays for them twice.
 *
 * - `s` opens a segment: format version and segment number.
 * - `o` a key is open; `f` a key is finished, with everything that `o` said, so that each known key
 *   lives in exactly one line; `x` a key is forgotten.
 * - `c` a checkpoint: everything up to byte `b` of segment `n` has reached the disk.
 */
export type JournalRecord =
  | { t: "s"; v: number; n: number }
  | { t: "o"; k: string; f: string; a: number; m: JsonObject }
  | { t: "f"; k: string; f: string; a: number; m: JsonObject; z: number; o: string }
  | { t: "x"; k: string }
  | { t: "c"; n: number; b: number };

/** Version of the journal format that this release writes, and the only one it reads. */
export const JOURNAL_VERSION = 1;

/** `crc32 of the JSON in hex, space, JSON, newline`. JSON text never contains a newline. */
export function toLine(json: string): string {
  return `${checksum(json)} ${json}\n`;
}

/** The members that `o` and `f` have in common, serialised once for both. */
export function recordHead(
  key: string,
  fingerprint: string,
  openedAtMs: number,
  meta: JsonObject,
): string {
  return `"k":${JSON.stringify(key)},"f":${JSON.stringify(fingerprint)},"a":${openedAtMs},"m":${JSON.stringify(meta)}`;
}

export function openLine(head: string): string {
  return toLine(`{"t":"o",${head}}`);
}

export function finishLine(head: string, finishedAtMs: number, outcome: string): string {
  return toLine(`{"t":"f",${head},"z":${finishedAtMs},"o":${JSON.stringify(outcome)}}`);
}

export function forgetLine(key: string): string {
  return toLine(`{"t":"x","k":${JSON.stringify(key)}}`);
}

export function checkpointLine(segment: number, bytes: number): string {
  return toLine(`{"t":"c","n":${segment},"b":${bytes}}`);
}

export function segmentLine(segment: number): string {
  return toLine(`{"t":"s","v":${JOURNAL_VERSION},"n":${segment}}`);
}

/**
 * Reads the line in `bytes` without its newline; `undefined` if its checksum does not match. A line
 * with the right checksum was written by {@link toLine}, so its shape is not checked again.
 */
export function parseLine(bytes: Buffer): JournalRecord | undefined {
  if (bytes.length < 11 || bytes[8] !== SPACE) return undefined;
  const json = bytes.subarray(9);
  // Compared as text: a digit whose case has flipped is damage too.
  if (checksum(json) !== bytes.toString("latin1", 0, 8)) return undefined;
  // The checksum vouches for the text, and only this module writes such texts.
  return JSON.parse(json.toString("utf8")) as JournalRecord;
}

function checksum(json: string | Buffer): string {
  return crc32(json).toString(16).padStart(8, "0");
}

const SPACE = 0x20;
