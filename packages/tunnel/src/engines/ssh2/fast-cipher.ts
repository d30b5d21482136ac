import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type CipherGCMTypes,
  type KeyObject,
} from "node:crypto";
import type { Client } from "ssh2";
import { TunnelError } from "../../errors.ts";
import { internalsOf, type Protocol } from "./internals.ts";
import { BLOCK_BYTES, createFrame, type Frame, LENGTH_BYTES, TAG_BYTES } from "./packet-frame.ts";

// AES-GCM for SSH (RFC 5647, as OpenSSH uses it): the length in clear as associated data, then the
// encrypted packet, then the tag. ssh2's own version makes a key from bytes for every packet, writes
// each packet in three pieces and copies what it reads; this one does each thing once.

/** What RFC 4253 section 6.1 asks every implementation to take, and ssh2's own limit. */
const MAX_PACKET_BYTES = 35_000;
/** A packet of this size is copied sooner than written in three pieces. */
const SMALL_BYTES = 8 * 1024;

/** The fields of ssh2's cipher in JavaScript that are taken over. */
interface Ssh2GcmCipher {
  outSeqno: number;
  readonly _onWrite: (data: Buffer) => void;
  readonly _encSSLName: CipherGCMTypes;
  readonly _encKey: Buffer;
  readonly _encIV: Buffer;
  free(): void;
}

/** The same for the other direction. */
interface Ssh2GcmDecipher {
  inSeqno: number;
  _onPayload: (payload: Buffer) => unknown;
  readonly _decipherSSLName: CipherGCMTypes;
  readonly _decipherKey: Buffer;
  readonly _decipherIV: Buffer;
  /** Bytes of a packet's length that have arrived: none between two packets. */
  readonly _lenBytes: number;
  free(): void;
}

/**
 * Puts faster ciphers in place after every key exchange of a client, where AES-GCM was agreed on and
 * ssh2 has no native binding for it.
 */
export function speedUpCiphers(client: Client): void {
  client.on("handshake", () => {
    const { protocol } = internalsOf(client);
    replaceCipher(protocol);
    replaceDecipher(protocol);
  });
}

function replaceCipher(protocol: Protocol): void {
  const theirs = protocol._cipher as unknown as Partial<Ssh2GcmCipher>;
  if (!theirs._encSSLName?.endsWith("-gcm")) return;
  protocol._cipher = new GcmCipher(theirs as Ssh2GcmCipher) as unknown as Protocol["_cipher"];
}

function replaceDecipher(protocol: Protocol): void {
  const theirs = protocol._decipher as unknown as Partial<Ssh2GcmDecipher>;
  if (!theirs._decipherSSLName?.endsWith("-gcm")) return;
  const old = theirs as Ssh2GcmDecipher;
  const onPayload = old._onPayload;
  const replace = (): void => {
    const decipher = new GcmDecipher(old, onPayload);
    protocol._decipher = decipher;
  };
  if (old._lenBytes === 0) {
    replace();
    return;
  }
  // In the middle of a packet: after it. `false` has ssh2 go on with whatever decipher there is then.
  old._onPayload = (payload) => {
    const result = onPayload(payload);
    if (protocol._decipher === (old as unknown)) replace();
    return result ?? false;
  };
}

/** Encrypts packets; the interface is that of ssh2's ciphers. */
class GcmCipher {
  outSeqno: number;
  readonly #write: (data: Buffer) => void;
  readonly #name: CipherGCMTypes;
  readonly #key: KeyObject;
  readonly #iv: Buffer;
  readonly #frame: Frame = createFrame();
  /** The packet that is being put together: it is encrypted, and so copied, before the next begins. */
  readonly #scratch = Buffer.allocUnsafeSlow(MAX_PACKET_BYTES + BLOCK_BYTES);
  #isDead = false;

  constructor(theirs: Ssh2GcmCipher) {
    this.outSeqno = theirs.outSeqno;
    this.#write = theirs._onWrite;
    this.#name = theirs._encSSLName;
    this.#key = createSecretKey(theirs._encKey);
    this.#iv = Buffer.from(theirs._encIV);
  }

  free(): void {
    this.#isDead = true;
  }

  allocPacket(payloadBytes: number): Buffer {
    const bytes = this.#frame.bytesFor(payloadBytes);
    const packet =
      bytes <= this.#scratch.length
        ? this.#scratch.subarray(0, bytes)
        : Buffer.allocUnsafeSlow(bytes);
    this.#frame.write(packet, payloadBytes);
    return packet;
  }

  encrypt(packet: Buffer): void {
    if (this.#isDead) return;
    const cipher = createCipheriv(this.#name, this.#key, this.#iv);
    const length = packet.subarray(0, LENGTH_BYTES);
    cipher.setAAD(length);
    const encrypted = cipher.update(packet.subarray(LENGTH_BYTES));
    cipher.final();
    // Small packets in one piece; a large one is not worth another copy.
    if (encrypted.length <= SMALL_BYTES) {
      this.#write(Buffer.concat([length, encrypted, cipher.getAuthTag()]));
    } else {
      this.#write(Buffer.from(length));
      this.#write(encrypted);
      this.#write(cipher.getAuthTag());
    }
    increment(this.#iv);
    this.outSeqno = (this.outSeqno + 1) >>> 0;
  }
}

/** Decrypts packets; the interface is that of ssh2's deciphers. */
class GcmDecipher {
  inSeqno: number;
  /** ssh2 puts another one here while keys are exchanged. */
  _onPayload: (payload: Buffer) => unknown;
  readonly #name: CipherGCMTypes;
  readonly #key: KeyObject;
  readonly #iv: Buffer;
  /** The beginning of a packet whose rest has not arrived. */
  #partial: Buffer | undefined;
  #partialBytes = 0;

  constructor(theirs: Ssh2GcmDecipher, onPayload: (payload: Buffer) => unknown) {
    this.inSeqno = theirs.inSeqno;
    this._onPayload = onPayload;
    this.#name = theirs._decipherSSLName;
    this.#key = createSecretKey(theirs._decipherKey);
    this.#iv = Buffer.from(theirs._decipherIV);
  }

  free(): void {}

  /** Returns where ssh2 has to go on, when another decipher takes over. */
  decrypt(data: Buffer, start: number, end: number): number | undefined {
    let at = start;
    while (at < end) {
      const packet = this.#nextPacket(data, at, end);
      if (packet === undefined) return undefined;
      at = packet.next;
      const result = this._onPayload(this.#open(packet.bytes));
      if (result !== undefined) return result === false ? at : (result as number);
    }
    return undefined;
  }

  /** A whole packet, length and tag included, and where the next one begins. */
  #nextPacket(data: Buffer, at: number, end: number): { bytes: Buffer; next: number } | undefined {
    if (this.#partial === undefined) {
      const available = end - at;
      if (available >= LENGTH_BYTES) {
        const total = packetBytes(data, at);
        if (available >= total) return { bytes: data.subarray(at, at + total), next: at + total };
      }
      this.#partial = Buffer.allocUnsafe(
        available >= LENGTH_BYTES ? packetBytes(data, at) : LENGTH_BYTES,
      );
      this.#partialBytes = 0;
    }
    let next = this.#fill(data, at, end);
    if (this.#partialBytes === LENGTH_BYTES && this.#partial.length === LENGTH_BYTES) {
      const whole = Buffer.allocUnsafe(packetBytes(this.#partial, 0));
      this.#partial.copy(whole);
      this.#partial = whole;
      next = this.#fill(data, next, end);
    }
    if (this.#partialBytes < this.#partial.length) return undefined;
    const bytes = this.#partial;
    this.#partial = undefined;
    return { bytes, next };
  }

  #fill(data: Buffer, at: number, end: number): number {
    const partial = this.#partial;
    if (partial === undefined) return at;
    const bytes = Math.min(partial.length - this.#partialBytes, end - at);
    data.copy(partial, this.#partialBytes, at, at + bytes);
    this.#partialBytes += bytes;
    return at + bytes;
  }

  #open(packet: Buffer): Buffer {
    const tagAt = packet.length - TAG_BYTES;
    const decipher = createDecipheriv(this.#name, this.#key, this.#iv);
    decipher.setAAD(packet.subarray(0, LENGTH_BYTES));
    decipher.setAuthTag(packet.subarray(tagAt));
    const plain = decipher.update(packet.subarray(LENGTH_BYTES, tagAt));
    // Throws unless the tag is right; nothing of the packet has been looked at before.
    decipher.final();
    this.inSeqno = (this.inSeqno + 1) >>> 0;
    increment(this.#iv);
    const padding = plain[0] ?? 0;
    if (padding + 1 > plain.length) throw malformed("padding");
    return plain.subarray(1, plain.length - padding);
  }
}

function packetBytes(data: Buffer, at: number): number {
  const length = data.readUInt32BE(at);
  const isPossible =
    length >= BLOCK_BYTES && length % BLOCK_BYTES === 0 && length + TAG_BYTES <= MAX_PACKET_BYTES;
  if (!isPossible) throw malformed("length");
  return LENGTH_BYTES + length + TAG_BYTES;
}

/** Counts the packets in the last eight bytes of the IV (RFC 5647 section 7.1). */
function increment(iv: Buffer): void {
  for (let at = 11; at >= 4; at -= 1) {
    const value = ((iv[at] ?? 0) + 1) & 0xff;
    iv[at] = value;
    if (value !== 0) return;
  }
}

function malformed(what: string): TunnelError {
  return new TunnelError(
    "CONNECTION_LOST",
    `the SSH server has sent a packet with a wrong ${what}.`,
  );
}
