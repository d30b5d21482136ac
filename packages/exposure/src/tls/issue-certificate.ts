// First: the library below looks for it while it loads.
import "./metadata-registry.ts";
import { createPublicKey, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { GATEWAY_COMMON_NAME } from "./certificate-facts.ts";
import { ExposureError } from "../exposure-error.ts";

/** A certificate outlives the machines it is made for; what is trusted is its pin, not its date. */
const VALID_DAYS = 3_650;
const DAY_MS = 86_400_000;
/** Names that lead to the Gateway from its own machine, whatever others it has. */
const OWN_NAMES = ["localhost", "127.0.0.1", "::1"] as const;

export interface IssueOptions {
  /** The private key that the certificate is for, and that signs it. */
  readonly key: KeyObject;
  /** Host names and addresses to hold beside those of loopback; what is neither is left out. */
  readonly names: readonly string[];
  readonly nowMs: number;
}

/**
 * Issues a self-signed server certificate in PEM, valid for ten years from a day ago, so that a
 * clock that is slow by some hours accepts it too. It cannot sign others.
 *
 * @throws {ExposureError} `KEY_UNREADABLE` for a kind of key that browsers and clients do not know
 */
export async function issueCertificate({ key, names, nowMs }: IssueOptions): Promise<string> {
  const algorithm = algorithmOf(key);
  const publicKey = createPublicKey(key).toCryptoKey(algorithm, true, ["verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      // Positive, and short enough for every reader.
      serialNumber: `4${randomBytes(16).toString("hex").slice(1)}`,
      name: `CN=${GATEWAY_COMMON_NAME}`,
      notBefore: new Date(nowMs - DAY_MS),
      notAfter: new Date(nowMs + VALID_DAYS * DAY_MS),
      keys: { privateKey: key.toCryptoKey(algorithm, true, ["sign"]), publicKey },
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(alternativeNames(names)),
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/** One object for all that the algorithm is given to: each takes what it knows. */
type SigningAlgorithm = webcrypto.EcKeyImportParams &
  webcrypto.EcdsaParams &
  webcrypto.RsaHashedImportParams;

function algorithmOf(key: KeyObject): SigningAlgorithm {
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

interface AlternativeName {
  type: "dns" | "ip";
  value: string;
}

function alternativeNames(names: readonly string[]): AlternativeName[] {
  const all = [...OWN_NAMES, ...names].map((name) => name.toLowerCase().replace(/\.$/u, ""));
  return [...new Set(all)].flatMap((value): AlternativeName[] => {
    // Where a server listens on every address, that is no address of it.
    if (value === "0.0.0.0" || value === "::") return [];
    if (isIP(value) !== 0) return [{ type: "ip", value }];
    return isHostName(value) ? [{ type: "dns", value }] : [];
  });
}

/** A host name as it may stand in a certificate. */
function isHostName(name: string): boolean {
  return (
    name.length <= 253 &&
    /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/u.test(name)
  );
}
