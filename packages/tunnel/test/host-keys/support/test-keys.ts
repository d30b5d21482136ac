import { createHash } from "node:crypto";
import { blobString } from "../../../src/host-keys/blob-reader.ts";
import { fingerprintOf } from "../../../src/host-keys/fingerprint.ts";

/** A public key that nobody has the private half of. */
export interface TestKey {
  readonly type: string;
  readonly blob: Buffer;
  readonly fingerprint: string;
  /** `type base64`, as known_hosts has it. */
  readonly text: string;
}

/** A well-formed ed25519 key, the same for the same seed. */
export function ed25519Key(seed: string): TestKey {
  return keyOf("ssh-ed25519", createHash("sha256").update(seed).digest());
}

/** A well-formed RSA key of 1024 bits, the same for the same seed. */
export function rsaKey(seed: string): TestKey {
  const modulus = Buffer.alloc(129, createHash("sha256").update(seed).digest());
  modulus[0] = 0;
  modulus[1] = 0xc1;
  return keyOf("ssh-rsa", Buffer.of(1, 0, 1), modulus);
}

/** The public key in a `.pub` file or in a line of known_hosts without its names. */
export function keyFromText(text: string): TestKey {
  const [type = "", base64 = ""] = text.trim().split(" ");
  const blob = Buffer.from(base64, "base64");
  return { type, blob, fingerprint: fingerprintOf(blob), text: `${type} ${base64}` };
}

function keyOf(type: string, ...fields: readonly Buffer[]): TestKey {
  const blob = Buffer.concat([type, ...fields].map(blobString));
  return keyFromText(`${type} ${blob.toString("base64")}`);
}
