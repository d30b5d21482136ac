/** Reads the data types of RFC 4251 section 5, one after the other. */
export interface WireReader {
  readonly isAtEnd: boolean;
  byte(): number;
  uint32(): number;
  uint64(): bigint;
  string(): Buffer;
  text(): string;
}

/** @returns a reader, each call of which throws a RangeError where the data is too short */
export function readWire(data: Buffer): WireReader {
  let at = 0;
  function take(bytes: number): Buffer {
    if (at + bytes > data.length) throw new RangeError("the data ends too early");
    at += bytes;
    return data.subarray(at - bytes, at);
  }
  const reader: WireReader = {
    get isAtEnd() {
      return at === data.length;
    },
    byte: () => take(1).readUInt8(),
    uint32: () => take(4).readUInt32BE(),
    uint64: () => take(8).readBigUInt64BE(),
    string: () => take(reader.uint32()),
    text: () => reader.string().toString("utf8"),
  };
  return reader;
}

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Length and content. */
export function wireString(value: string | Buffer): Buffer {
  const content = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return Buffer.concat([wireUint32(content.length), content]);
}

/** Several strings, one after the other. */
export function wireStrings(...values: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(values.map(wireString));
}

/** A number without sign, given big-endian, as an `mpint`. */
export function wireMpint(magnitude: Buffer): Buffer {
  let start = 0;
  while (start < magnitude.length && magnitude[start] === 0) start += 1;
  const digits = magnitude.subarray(start);
  const isNegativeLooking = ((digits[0] ?? 0) & 0x80) !== 0;
  return wireString(isNegativeLooking ? Buffer.concat([Buffer.of(0), digits]) : digits);
}
