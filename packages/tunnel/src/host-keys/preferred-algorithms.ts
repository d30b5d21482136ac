import type { KnownHost } from "./known-hosts.ts";

/**
 * Puts the host key algorithms first of whose kind a key is known, as OpenSSH does: a server shows
 * the first key that suits, and the known one has to be it.
 *
 * Where nothing is known under `[host]:port`, the keys of the bare name decide, since one of those
 * would be accepted. OpenSSH keeps its own order then.
 *
 * @param offered what the engine would offer, the most preferred first
 * @returns the same names; in the same order where a key of the most preferred kind is known
 */
export function orderHostKeyAlgorithms(
  { keys, authorities, withoutPort }: KnownHost,
  offered: readonly string[],
): readonly string[] {
  const isNamed = keys.length + authorities.length > 0;
  const known = isNamed ? { keys, authorities } : withoutPort;
  const types = new Set(known.keys.map(({ type }) => type));
  const [best] = offered;
  if (best === undefined || types.has(keyTypeOfAlgorithm(best))) return offered;

  const isPreferred = (algorithm: string): boolean =>
    (isCertificateAlgorithm(algorithm) && known.authorities.length > 0) ||
    types.has(keyTypeOfAlgorithm(algorithm));
  return [...offered.filter(isPreferred), ...offered.filter((one) => !isPreferred(one))];
}

/** The type of the key, or of the key inside the certificate, that an algorithm signs with. */
function keyTypeOfAlgorithm(algorithm: string): string {
  const plain = algorithm.replace(/-cert-v01@openssh\.com$/u, "");
  if (/^rsa-sha2-(?:256|512)$/u.test(plain)) return "ssh-rsa";
  // Those of security keys keep the vendor's suffix behind what is cut off.
  return plain.startsWith("sk-") && !plain.includes("@") ? `${plain}@openssh.com` : plain;
}

function isCertificateAlgorithm(algorithm: string): boolean {
  return algorithm.endsWith("-cert-v01@openssh.com");
}
