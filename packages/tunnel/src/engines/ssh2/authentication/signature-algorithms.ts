import { isCertificateType, plainTypeOf } from "./public-key.ts";

/** One way to use a key. */
export interface SignatureAlgorithm {
  /** What the request names: for a certificate its own algorithm. */
  readonly request: string;
  /** What the signature names: always the plain one. */
  readonly signature: string;
}

export interface AlgorithmPreferences {
  /** PubkeyAcceptedAlgorithms; undefined is everything but SHA-1. */
  readonly accepted: readonly string[] | undefined;
  /** What the server has announced (RFC 8308); undefined when it has not. */
  readonly announced: readonly string[] | undefined;
}

const RSA_SHA2 = ["rsa-sha2-512", "rsa-sha2-256"] as const;
const CERTIFICATE_SUFFIX = "-cert-v01@openssh.com";

/** How a key of this type may be used, the best way first; empty when not at all. */
export function signatureAlgorithmsFor(
  type: string,
  { accepted, announced }: AlgorithmPreferences,
): readonly SignatureAlgorithm[] {
  const plainType = plainTypeOf(type);
  if (plainType === "ssh-dss") return [];
  if (plainType !== "ssh-rsa") {
    return isAccepted(type, accepted) ? [{ request: type, signature: plainType }] : [];
  }
  const suffix = isCertificateType(type) ? CERTIFICATE_SUFFIX : "";
  const allowed = rsaAlgorithms(accepted, suffix).filter((name) =>
    isAccepted(`${name}${suffix}`, accepted),
  );
  const common = allowed.filter((name) => announced?.includes(name));
  // Some servers announce a list that lacks what they take, as OpenSSH 7.4 does.
  const chosen = common.length > 0 ? common : allowed;
  return chosen.map((name) => ({ request: `${name}${suffix}`, signature: name }));
}

/** In the order of the user, where there is one; SHA-1 only where the user names it. */
function rsaAlgorithms(accepted: readonly string[] | undefined, suffix: string): string[] {
  const named = (accepted ?? [])
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, name.length - suffix.length))
    .filter((name) => name === "ssh-rsa" || RSA_SHA2.some((known) => known === name));
  return named.length > 0 ? named : [...RSA_SHA2];
}

function isAccepted(name: string, accepted: readonly string[] | undefined): boolean {
  return accepted === undefined || accepted.includes(name);
}
