import { randomFillSync } from "node:crypto";

// The frame of a packet in AES-GCM (RFC 5647): length, length of the padding, payload, padding; the
// tag follows.

export const LENGTH_BYTES = 4;
export const TAG_BYTES = 16;
export const BLOCK_BYTES = 16;
const MIN_PADDING_BYTES = 4;
/** Padding need not be secret, only unpredictable; a pool saves a call for each packet. */
const RANDOM_POOL_BYTES = 4_096;

/** Frames the packets of one connection. */
export interface Frame {
  /** Bytes of a whole packet, without its tag. */
  bytesFor(payloadBytes: number): number;
  /** Writes everything but the payload, which begins at the sixth byte. */
  write(packet: Buffer, payloadBytes: number): void;
}

export function createFrame(): Frame {
  const random = randomFillSync(Buffer.allocUnsafeSlow(RANDOM_POOL_BYTES));
  let used = 0;
  return {
    bytesFor: (payloadBytes) => LENGTH_BYTES + 1 + payloadBytes + paddingFor(payloadBytes),
    write(packet, payloadBytes) {
      const padding = paddingFor(payloadBytes);
      packet.writeUInt32BE(1 + payloadBytes + padding, 0);
      packet[LENGTH_BYTES] = padding;
      if (used + padding > RANDOM_POOL_BYTES) {
        randomFillSync(random);
        used = 0;
      }
      random.copy(packet, LENGTH_BYTES + 1 + payloadBytes, used, used + padding);
      used += padding;
    },
  };
}

function paddingFor(payloadBytes: number): number {
  const padding = BLOCK_BYTES - ((1 + payloadBytes) % BLOCK_BYTES);
  return padding < MIN_PADDING_BYTES ? padding + BLOCK_BYTES : padding;
}
