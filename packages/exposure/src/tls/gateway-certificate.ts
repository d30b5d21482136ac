import { generateKeyPair, type KeyObject, type X509Certificate } from "node:crypto";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { promisify } from "node:util";
import { ExposureError } from "../exposure-error.ts";
import {
  fingerprintOf,
  isGatewayMade,
  notAfterMsOf,
  notBeforeMsOf,
  publicKeyPinOf,
} from "./certificate-facts.ts";
import { createOwnFile, replaceOwnFile } from "./own-file.ts";
import {
  type CertificateFile,
  type KeyFile,
  readCertificateFile,
  readKeyFile,
} from "./read-pem.ts";
import { signingAlgorithmOf } from "./signing-algorithm.ts";

/** Where the certificate is, and whether one may be made. */
export interface CertificateOptions {
  /** Folder of the certificate that the Gateway makes for itself. */
  readonly directory: string;
  /** `gateway.tls.certPath`; with `keyPath` or not at all. Such files are never made nor changed. */
  readonly certPath?: string | undefined;
  /** `gateway.tls.keyPath` */
  readonly keyPath?: string | undefined;
  /** Makes a certificate in `directory` where there is none. */
  readonly autoGenerate: boolean;
  /** Host names and addresses for a certificate that is made; loopback is always among them. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. @default Date.now() */
  readonly nowMs?: number | undefined;
}

/** What a TLS server needs, and what its clients may pin. */
export interface GatewayCertificate {
  /** PEM; the certificate, then those of its issuers. */
  readonly cert: string;
  /** PEM. A secret. */
  readonly key: string;
  /** SHA-256 of the certificate, `AB:CD:…`. */
  readonly fingerprint: string;
  /** SHA-256 of the public key, `sha256//<base64>`. It stays when the certificate is renewed. */
  readonly publicKeyPin: string;
  /** The Gateway has made it for itself. */
  readonly isGenerated: boolean;
  /** Valid until then, in milliseconds since 1970. */
  readonly notAfterMs: number;
  readonly certPath: string;
  readonly keyPath: string;
  /** What the operator should know, one sentence each. */
  readonly warnings: readonly string[];
}

interface CertificatePaths {
  readonly certPath: string;
  readonly keyPath: string;
  /** They are in the Gateway's own folder. */
  readonly areOwn: boolean;
}

const SOON_MS = 21 * 86_400_000;
const RENEW = "openclaw gateway certificate --renew";

/** The two files in the folder of the Gateway's own certificate. */
export function ownCertificatePaths(directory: string): { certPath: string; keyPath: string } {
  return {
    certPath: join(directory, "gateway-cert.pem"),
    keyPath: join(directory, "gateway-key.pem"),
  };
}

/**
 * The certificate that the Gateway shows. Where it may make one and there is none it makes one for
 * ten years and keeps it; several that start at once make one together. What is there and cannot be
 * used is refused and left as it is: a new one would lock out every client that has pinned it.
 *
 * The key is ECDSA on P-256. Earlier releases made RSA of 2,048 bits, and those stay in use; but every
 * client that speaks TLS 1.2 knows P-256 too, and the server signs a handshake with it about twenty
 * times as fast, which is what counts when a thousand nodes come back at once.
 *
 * @throws {ExposureError}
 */
export async function loadGatewayCertificate(
  options: CertificateOptions,
): Promise<GatewayCertificate> {
  const paths = choosePaths(options);
  const nowMs = options.nowMs ?? Date.now();
  const found = await readPair(paths);
  if (found !== undefined) return assess(found, paths, nowMs);
  if (!paths.areOwn) throw missingFiles(paths);
  if (!options.autoGenerate) throw missing(paths);
  const { key } = await ensureKey(paths);
  const pem = await issue(key, options);
  await writing(paths.certPath, () => createOwnFile(paths.certPath, pem));
  const made = await readPair(paths);
  if (made === undefined) throw missing(paths);
  return assess(made, paths, nowMs);
}

/**
 * The certificate that is there, for whoever wants to show its pins; undefined where there is none.
 * Makes nothing.
 *
 * @throws {ExposureError}
 */
export async function readGatewayCertificate(
  options: Pick<CertificateOptions, "directory" | "certPath" | "keyPath" | "nowMs">,
): Promise<GatewayCertificate | undefined> {
  const paths = choosePaths(options);
  const found = await readPair(paths);
  return found && assess(found, paths, options.nowMs ?? Date.now(), { isExpiredFine: true });
}

/**
 * Issues a new certificate for the key that the Gateway has, with the names of now and for another
 * ten years. A pin of the public key holds on; one of the certificate does not. A Gateway that runs
 * shows the former certificate until it starts again.
 *
 * @throws {ExposureError} `CERT_NOT_OURS` for one that the Gateway did not make
 */
export async function renewGatewayCertificate(
  options: Omit<CertificateOptions, "autoGenerate">,
): Promise<GatewayCertificate> {
  const paths = choosePaths(options);
  const found = await readPair(paths);
  if (found === undefined) throw missing(paths);
  if (!paths.areOwn || !isGatewayMade(found.certificate.leaf)) {
    throw new ExposureError(
      "CERT_NOT_OURS",
      `the certificate ${paths.certPath} was issued by ${issuerOf(found.certificate.leaf)}.`,
      { hint: "Renew it there. With the same key, pins of the public key hold on." },
    );
  }
  const { key } = found.keyFile;
  const pem = await issue(key, options);
  await writing(paths.certPath, () => replaceOwnFile(paths.certPath, pem));
  const renewed = await readPair(paths);
  if (renewed === undefined) throw missing(paths);
  return assess(renewed, paths, options.nowMs ?? Date.now());
}

function choosePaths({
  directory,
  certPath,
  keyPath,
}: Pick<CertificateOptions, "directory" | "certPath" | "keyPath">): CertificatePaths {
  if (certPath !== undefined && keyPath !== undefined) {
    const own = ownCertificatePaths(directory);
    return { certPath, keyPath, areOwn: certPath === own.certPath && keyPath === own.keyPath };
  }
  if (certPath === undefined && keyPath === undefined) {
    return { ...ownCertificatePaths(directory), areOwn: true };
  }
  const [given, absent] =
    certPath === undefined ? ["keyPath", "certPath"] : ["certPath", "keyPath"];
  throw new ExposureError(
    "CERT_PATHS_INCOMPLETE",
    `gateway.tls.${given} is set, and gateway.tls.${absent} is not.`,
    { hint: "Set both, or neither to use a certificate that the Gateway makes." },
  );
}

interface Pair {
  readonly certificate: CertificateFile;
  readonly keyFile: KeyFile;
}

/** Both files; undefined where the certificate is still to be made. */
async function readPair(paths: CertificatePaths): Promise<Pair | undefined> {
  const { certPath, keyPath, areOwn } = paths;
  const certificate = await readCertificateFile(certPath);
  const keyFile = await readKeyFile(keyPath);
  if (certificate === undefined) return undefined;
  if (keyFile === undefined) {
    throw new ExposureError("KEY_MISSING", `${certPath} is there, and its key ${keyPath} is not.`, {
      hint: areOwn
        ? "Put the key back from a backup. To begin anew, and to pin anew on every client, remove the certificate."
        : "Set gateway.tls.keyPath to the key that the certificate was issued for.",
    });
  }
  if (!certificate.leaf.checkPrivateKey(keyFile.key)) {
    throw new ExposureError("KEY_MISMATCH", `${keyPath} is not the key of ${certPath}.`, {
      hint: "The server's own certificate comes first in its file; the key has to be the one it was issued for. Both were left as they are.",
    });
  }
  return { certificate, keyFile };
}

function assess(
  { certificate, keyFile }: Pair,
  { certPath, keyPath }: CertificatePaths,
  nowMs: number,
  { isExpiredFine = false }: { isExpiredFine?: boolean } = {},
): GatewayCertificate {
  const { leaf, text } = certificate;
  const isGenerated = isGatewayMade(leaf);
  const notAfterMs = notAfterMsOf(leaf);
  const expired = `the certificate ${certPath} was valid until ${day(notAfterMs)}`;
  // Its clients go by the pin. Those of an authority's certificate go by the date.
  if (notAfterMs < nowMs && !isGenerated && !isExpiredFine) {
    throw new ExposureError("CERT_EXPIRED", `${expired}.`, {
      hint: `Renew it with ${issuerOf(leaf)}, and look at the clock of this machine.`,
    });
  }
  assertUsable(text, keyFile.text, certPath);
  const renewal = isGenerated ? ` Renew it: ${RENEW}` : "";
  return {
    cert: text,
    key: keyFile.text,
    fingerprint: fingerprintOf(leaf),
    publicKeyPin: publicKeyPinOf(leaf.publicKey),
    isGenerated,
    notAfterMs,
    certPath,
    keyPath,
    warnings: [
      ...(notAfterMs < nowMs
        ? [`${expired}; only clients that have pinned it connect.${renewal}`]
        : []),
      ...(notAfterMs >= nowMs && notAfterMs < nowMs + SOON_MS
        ? [`the certificate ${certPath} is valid until ${day(notAfterMs)} only.${renewal}`]
        : []),
      ...(notBeforeMsOf(leaf) > nowMs
        ? [
            `the certificate ${certPath} is valid from ${day(notBeforeMsOf(leaf))} on; look at the clock.`,
          ]
        : []),
      ...(keyFile.isExposed
        ? [`others on this machine can read the key: chmod 600 ${keyPath}`]
        : []),
    ],
  };
}

/** Asks what will use it: a key that is too short for TLS shows only there. */
function assertUsable(cert: string, key: string, certPath: string): void {
  try {
    createSecureContext({ cert, key, minVersion: "TLSv1.2" });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExposureError("CERT_UNUSABLE", `TLS cannot use ${certPath}: ${why}.`, {
      hint: "Have it issued for an EC key on P-256, or an RSA key of at least 2,048 bits.",
      cause,
    });
  }
}

/** The key that is there, which an interrupted start may have left, else a new one. */
async function ensureKey({ keyPath }: CertificatePaths): Promise<KeyFile> {
  if ((await readKeyFile(keyPath)) === undefined) {
    const { privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    await writing(keyPath, () => createOwnFile(keyPath, pem));
  }
  const kept = await readKeyFile(keyPath);
  if (kept === undefined) throw new ExposureError("KEY_MISSING", `${keyPath} has vanished.`);
  return kept;
}

async function issue(
  key: KeyObject,
  { names, nowMs = Date.now() }: Pick<CertificateOptions, "names" | "nowMs">,
): Promise<string> {
  // Large, and needed once in ten years.
  const { issueCertificate } = await import("./issue-certificate.ts");
  return issueCertificate({ key, algorithm: signingAlgorithmOf(key), names, nowMs });
}

async function writing(path: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    if (cause instanceof ExposureError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExposureError("NOT_WRITTEN", `cannot write ${path}: ${why}.`, {
      hint: "The folder has to be writable for the user of the Gateway.",
      cause,
    });
  }
}

function missing({ certPath }: CertificatePaths): ExposureError {
  return new ExposureError("CERT_MISSING", `there is no certificate at ${certPath}.`, {
    hint: "Set gateway.tls.autoGenerate to true to have one made, or gateway.tls.certPath and keyPath to your own.",
  });
}

function missingFiles({ certPath, keyPath }: CertificatePaths): ExposureError {
  return new ExposureError(
    "CERT_MISSING",
    `gateway.tls.certPath names ${certPath}, which is not there (its key: ${keyPath}).`,
    {
      hint: "Files that the config names are never made. Put them there, or remove both keys to use a certificate that the Gateway makes.",
    },
  );
}

function issuerOf({ issuer, subject }: X509Certificate): string {
  return issuer === subject ? "whoever has signed it himself" : issuer.replaceAll("\n", ", ");
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
