import type { Client } from "ssh2";
import crypto from "ssh2/lib/protocol/crypto.js";
import { speedUpCiphers } from "./fast-cipher.ts";
import { reusePackets } from "./native-cipher.ts";

/** Where the ciphers of ssh2 run: in its native binding, if that was built, or over node:crypto. */
export const cryptography: "native" | "javascript" = crypto.bindingAvailable
  ? "native"
  : "javascript";

/** Makes the ciphers of a client fast; to be called before it has exchanged keys. */
export function tuneCiphers(client: Client): void {
  if (cryptography === "native") reusePackets(client);
  else speedUpCiphers(client);
}
