import type { KeyObject, webcrypto } from "node:crypto";
import { ExposureError } from "../exposure-error.ts";

/** One object for all that the algorithm is given to: each takes what it knows. */
export type SigningAlgorithm = webcrypto.EcKeyImportParams &
  webcrypto.EcdsaParams &
  webcrypto.RsaHashedImportParams;

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/**
 * How a private key signs certificates.
 *
 * @throws {ExposureError} `KEY_UNREADABLE` for a kind of key that browsers and clients do not know
 */
export function signingAlgorithmOf(key: KeyObject): SigningAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const namedCurve = CURVES[details?.namedCurve ?? ""];
  const hash = "SHA-256";
  const common = { hash, namedCurve: namedCurve ?? "" };
  if (type === "ec" && namedCurve !== undefined) return { ...common, name: "ECDSA" };
  if (type === "rsa") return { ...common, name: "RSASSA-PKCS1-v1_5" };
  throw new ExposureError(
    "KEY_UNREADABLE",
    `a ${type ?? "secret"} key cannot sign a certificate that every client understands.`,
    { hint: "Use an EC key on P-256, P-384 or P-521, or an RSA key." },
  );
}
