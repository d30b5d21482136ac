import { TunnelError } from "../errors.ts";
import { fingerprintOf, keyTypeOf } from "./fingerprint.ts";
import { isCertificateBlob, parseHostCertificate } from "./host-certificate.ts";
import type { HostCertificate } from "./host-certificate.ts";

/** A host key, as the key exchange has brought it. */
export interface ShownKey {
  /** The host as known_hosts names it, for messages. */
  readonly name: string;
  /** Type of the plain key. */
  readonly type: string;
  /** The plain key, also of a certificate. */
  readonly blob: Buffer;
  readonly fingerprint: string;
  /** Where the host has shown a certificate of that key. */
  readonly certificate?: HostCertificate | undefined;
}

/**
 * Reads what the host has shown, a plain key or a certificate.
 *
 * @throws {@link TunnelError} `HOST_KEY_UNKNOWN` for a certificate that is malformed
 */
export function readShownKey(name: string, blob: Buffer): ShownKey {
  if (!isCertificateBlob(blob)) {
    return { name, type: keyTypeOf(blob), blob, fingerprint: fingerprintOf(blob) };
  }
  const certificate = parseHostCertificate(blob);
  if (certificate === undefined) {
    throw new TunnelError(
      "HOST_KEY_UNKNOWN",
      `${name} shows a host certificate that is malformed.`,
      {
        hint: "Sign the host's key anew: ssh-keygen -h -s <authority> -I <id> -n <names> <key>.pub",
      },
    );
  }
  const { publicKey } = certificate;
  return {
    name,
    type: keyTypeOf(publicKey),
    blob: publicKey,
    fingerprint: fingerprintOf(publicKey),
    certificate,
  };
}
