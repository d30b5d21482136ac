import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { internalsOf, type Protocol } from "./internals.ts";
import { createFrame, TAG_BYTES } from "./packet-frame.ts";

/** A large packet: 32 KiB of data and its frame. */
const SLOT_BYTES = 33 * 1024;
/** What is kept for reuse; more than a window is never under way for long. */
const MAX_FREE_SLOTS = 96;
/** Smaller packets come from Node's own pool. */
const SMALL_BYTES = 4 * 1024;

/** ssh2's AES-GCM over its native binding. */
interface BindingCipher {
  readonly outSeqno: number;
  readonly _onWrite: (data: Buffer) => void;
  readonly _instance: { encrypt(packet: Buffer): void; free(): void };
  readonly constructor: { readonly name: string };
}

/**
 * Has the native AES-GCM use its buffers again: it encrypts in place, so a packet that was written is
 * free for the next. A new one for each would be collected a hundred times in each gigabyte.
 */
export function reusePackets(client: Client): void {
  client.on("handshake", () => {
    const { protocol, socket } = internalsOf(client);
    const theirs = protocol._cipher as unknown as BindingCipher;
    if (theirs.constructor.name !== "AESGCMCipherBinding") return;
    protocol._cipher = createCipher(theirs, socket);
  });
}

function createCipher(theirs: BindingCipher, socket: Duplex): Protocol["_cipher"] {
  const frame = createFrame();
  const free: Buffer[] = [];
  let isDead = false;
  const cipher = {
    outSeqno: theirs.outSeqno,
    _onWrite: theirs._onWrite,
    free() {
      isDead = true;
      theirs._instance.free();
    },
    allocPacket(payloadBytes: number): Buffer {
      const bytes = frame.bytesFor(payloadBytes) + TAG_BYTES;
      const packet =
        bytes > SMALL_BYTES && bytes <= SLOT_BYTES
          ? (free.pop() ?? Buffer.allocUnsafeSlow(SLOT_BYTES)).subarray(0, bytes)
          : Buffer.allocUnsafe(bytes);
      frame.write(packet, payloadBytes);
      return packet;
    },
    encrypt(packet: Buffer): void {
      if (isDead) return;
      theirs._instance.encrypt(packet);
      cipher.outSeqno = (cipher.outSeqno + 1) >>> 0;
      if (packet.buffer.byteLength !== SLOT_BYTES || !socket.writable) {
        cipher._onWrite(packet);
        return;
      }
      socket.write(packet, () => {
        if (free.length < MAX_FREE_SLOTS) free.push(Buffer.from(packet.buffer));
      });
    },
  };
  return cipher;
}
