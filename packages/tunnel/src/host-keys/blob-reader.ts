/** Reads the data types of RFC 4251, section 5, one after the other. */
export interface BlobReader {
  /** Where the next value begins. */
  readonly offset: number;
  readonly isAtEnd: boolean;
  uint32(): number;
  uint64(): bigint;
  string(): Buffer;
}

/** @returns a reader, each call of which throws a RangeError where the blob is too short */
export function readBlob(blob: Buffer): BlobReader {
  let offset = 0;
  const take = (bytes: number): Buffer => {
    if (bytes > blob.length - offset) throw new RangeError("the blob ends too early");
    offset += bytes;
    return blob.subarray(offset - bytes, offset);
  };
  const reader: BlobReader = {
    get offset() {
      return offset;
    },
    get isAtEnd() {
      return offset === blob.length;
    },
    uint32: () => take(4).readUInt32BE(),
    uint64: () => take(8).readBigUInt64BE(),
    string: () => take(reader.uint32()),
  };
  return reader;
}

/** A `string` of RFC 4251: length and content. */
export function blobString(value: string | Buffer): Buffer {
  const content = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** Runs `read`, and answers undefined where it finds the blob too short. */
export function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
