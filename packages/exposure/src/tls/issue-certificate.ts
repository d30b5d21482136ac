import { createPublicKey, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { GATEWAY_COMMON_NAME } from "./certificate-facts.ts";
import { provideMetadataRegistry } from "./metadata-registry.ts";
import type { SigningAlgorithm } from "./signing-algorithm.ts";

/** A certificate outlives the machines it is made for; what is trusted is its pin, not its date. */
const VALID_DAYS = 3_650;
const DAY_MS = 86_400_000;
/** Names that lead to the Gateway from its own machine, whatever others it has. */
const OWN_NAMES = ["localhost", "127.0.0.1", "::1"] as const;

export interface IssueOptions {
  /** The private key that the certificate is for, and that signs it. */
  readonly key: KeyObject;
  readonly algorithm: SigningAlgorithm;
  /** Host names and addresses to hold beside those of loopback; what is neither is left out. */
  readonly names: readonly string[];
  readonly nowMs: number;
}

/**
 * Issues a self-signed server certificate in PEM, valid for ten years from a day ago, so that a
 * clock that is slow by some hours accepts it too. It cannot sign others.
 */
export async function issueCertificate(options: IssueOptions): Promise<string> {
  const { key, algorithm, names, nowMs } = options;
  // The library looks for it while it loads.
  provideMetadataRegistry();
  const x509 = await import("@peculiar/x509");
  const publicKey = createPublicKey(key).toCryptoKey(algorithm, true, ["verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // Positive, and short enough for every reader.
      serialNumber: `4${randomBytes(16).toString("hex").slice(1)}`,
      name: `CN=${GATEWAY_COMMON_NAME}`,
      notBefore: new Date(nowMs - DAY_MS),
      notAfter: new Date(nowMs + VALID_DAYS * DAY_MS),
      keys: { privateKey: key.toCryptoKey(algorithm, true, ["sign"]), publicKey },
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(alternativeNames(names)),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
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
