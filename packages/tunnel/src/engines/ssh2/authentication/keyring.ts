import { createHash } from "node:crypto";
import type { AuthenticationCallbacks } from "../../engine.ts";
import type { IdentityFile } from "./identity-file.ts";
import type { PrivateKey } from "./private-key.ts";

/**
 * Keys that somebody has opened with a passphrase, for as long as it is kept: so that the hosts of a
 * jump chain, and a tunnel that comes back at night, do not ask again.
 */
export interface Keyring {
  get(identity: IdentityFile): PrivateKey | undefined;
  keep(identity: IdentityFile, key: PrivateKey): void;
}

export function createKeyring(): Keyring {
  const keys = new Map<string, PrivateKey>();
  return {
    get: (identity) => keys.get(nameOf(identity)),
    keep: (identity, key) => void keys.set(nameOf(identity), key),
  };
}

const keyrings = new WeakMap<AuthenticationCallbacks, Keyring>();

/** The keyring of whoever answers these callbacks; it goes with them. */
export function keyringOf(callbacks: AuthenticationCallbacks): Keyring {
  const known = keyrings.get(callbacks);
  if (known) return known;
  const keyring = createKeyring();
  keyrings.set(callbacks, keyring);
  return keyring;
}

/** With its content, so that a file that was replaced is another key. */
function nameOf({ path, privateText = Buffer.alloc(0) }: IdentityFile): string {
  return `${path} ${createHash("sha256").update(privateText).digest("base64")}`;
}
