import { createHash, type KeyObject, type X509Certificate } from "node:crypto";

/** Subject of the certificates that are made here, and of those that earlier releases made. */
export const GATEWAY_COMMON_NAME = "openclaw-gateway";

/** SHA-256 of a certificate as `AB:CD:…`, the way browsers and `openssl x509 -fingerprint` show it. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256;
}

/** SHA-256 of a public key as `sha256//<base64>`, the way `curl --pinnedpubkey` reads it. */
export function publicKeyPinOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: "spki", format: "der" });
  return `sha256//${createHash("sha256").update(der).digest("base64")}`;
}

/** Whether a Gateway made the certificate for itself; any other has an issuer who renews it. */
export function isGatewayMade(certificate: X509Certificate): boolean {
  return (
    certificate.subject === `CN=${GATEWAY_COMMON_NAME}` &&
    certificate.issuer === certificate.subject &&
    certificate.verify(certificate.publicKey)
  );
}

/** The last moment at which the certificate is valid, in milliseconds since 1970. */
export function notAfterMsOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

/** The first moment at which the certificate is valid, in milliseconds since 1970. */
export function notBeforeMsOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validFrom);
}
