import type { Client } from "ssh2";

/** Lines before the version of an SSH server are rare and short. */
const MAX_GREETING_BYTES = 64 * 1024;

/** The part of ssh2's protocol that reads up to the version; it replaces `_parse` when it has that. */
interface GreetingReader {
  _parse(chunk: Buffer, start: number, end: number): number;
  /** What has arrived, until the version is whole. */
  _buffer: Buffer | undefined;
}

/**
 * Has ssh2 keep every piece of a version that arrives in more than two: it joins the last one with the
 * first. To be called right after `connect()`.
 */
export function keepGreetingWhole(client: Client): void {
  const { _protocol: reader } = client as unknown as { _protocol: GreetingReader };
  const parse = reader._parse;
  const parseKeeping: GreetingReader["_parse"] = (chunk, start, end) => {
    const before = reader._buffer;
    const next = parse.call(reader, chunk, start, end);
    if (reader._parse !== parseKeeping || before === undefined) return next;
    if (before.length + end - start > MAX_GREETING_BYTES) throw new Error("Max greeting exceeded");
    reader._buffer = Buffer.concat([before, chunk.subarray(start, end)]);
    return next;
  };
  reader._parse = parseKeeping;
}
