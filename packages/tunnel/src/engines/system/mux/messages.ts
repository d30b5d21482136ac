/** Messages of the SSH connection protocol, RFC 4254. */
export const MESSAGE = {
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  channelWindowAdjust: 93,
  channelData: 94,
  channelExtendedData: 95,
  channelEof: 96,
  channelClose: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
} as const;

/** Length, an unused padding length, type. */
const HEADER_BYTES = 6;

/** What a message is made of: numbers are four bytes, texts and bytes get their length before them. */
export type Field = number | string | boolean | Buffer;

/** A message as a master in proxy mode takes it: a length, no padding, and no encryption. */
export function encodeMessage(type: number, ...fields: readonly Field[]): Buffer {
  const parts = fields.map((field) => {
    if (typeof field === "boolean") return Buffer.from([field ? 1 : 0]);
    if (typeof field === "number") return uint32(field);
    const bytes = typeof field === "string" ? Buffer.from(field) : field;
    return Buffer.concat([uint32(bytes.length), bytes]);
  });
  const length = parts.reduce((sum, { length: bytes }) => sum + bytes, 0);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(length + 2, 0);
  header[5] = type;
  return Buffer.concat([header, ...parts], HEADER_BYTES + length);
}

/** What is before the data in a data message: the header, the channel, and how much data follows. */
export const DATA_HEADER_BYTES = HEADER_BYTES + 8;

/** The beginning of a data message, so that the data itself is not copied. */
export function dataHeader(channel: number, dataBytes: number): Buffer {
  const header = Buffer.allocUnsafe(DATA_HEADER_BYTES);
  header.writeUInt32BE(2 + 8 + dataBytes, 0);
  header[4] = 0;
  header[5] = MESSAGE.channelData;
  header.writeUInt32BE(channel, 6);
  header.writeUInt32BE(dataBytes, 10);
  return header;
}

/** What the beginning of a data message says. */
export interface DataHeader {
  readonly recipient: number;
  /** Of the data. */
  readonly bytesLeft: number;
}

/** Reads what {@link dataHeader} writes. Undefined when it is no such message, or not all of it. */
export function readDataHeader(message: Buffer): DataHeader | undefined {
  if (message.length < DATA_HEADER_BYTES || message[5] !== MESSAGE.channelData) return undefined;
  const bytesLeft = message.readUInt32BE(10);
  const isAllOfIt = message.readUInt32BE(0) === DATA_HEADER_BYTES - 4 + bytesLeft;
  return isAllOfIt ? { recipient: message.readUInt32BE(6), bytesLeft } : undefined;
}

/** Reads the fields of a message. Whatever is missing throws. */
export interface MessageReader {
  readonly type: number;
  number(): number;
  flag(): boolean;
  /** A view, not a copy. */
  bytes(): Buffer;
  text(): string;
}

/** Reads a message, from its padding length on. */
export function readMessage(message: Buffer): MessageReader {
  let at = 2;
  const take = (count: number): number => {
    const from = at;
    at += count;
    if (at > message.length) throw new RangeError("the message is too short");
    return from;
  };
  const number = (): number => message.readUInt32BE(take(4));
  const bytes = (): Buffer => {
    const from = take(number());
    return message.subarray(from, at);
  };
  return {
    type: message[1] ?? 0,
    number,
    flag: () => message[take(1)] !== 0,
    bytes,
    text: () => bytes().toString("utf8"),
  };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
