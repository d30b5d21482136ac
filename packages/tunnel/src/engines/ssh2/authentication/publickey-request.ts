import { wireString, wireStrings } from "./wire-format.ts";

/** A request of the method `publickey` (RFC 4252 section 7). */
export interface PublicKeyRequest {
  readonly user: string;
  /** Of the request; a certificate has its own. */
  readonly algorithm: string;
  /** The key or the certificate. */
  readonly blob: Buffer;
}

const USERAUTH_REQUEST = 50;

/** Asks whether the server would accept the key. */
export function keyQuery(request: PublicKeyRequest): Buffer {
  return unsignedRequest(request, false);
}

/** What the key has to sign. */
export function dataToSign(request: PublicKeyRequest, sessionId: Buffer): Buffer {
  return Buffer.concat([wireString(sessionId), unsignedRequest(request, true)]);
}

/** @param signature name and signature, as they go over the wire */
export function signedRequest(request: PublicKeyRequest, signature: Buffer): Buffer {
  return Buffer.concat([unsignedRequest(request, true), wireString(signature)]);
}

function unsignedRequest(
  { user, algorithm, blob }: PublicKeyRequest,
  hasSignature: boolean,
): Buffer {
  return Buffer.concat([
    Buffer.of(USERAUTH_REQUEST),
    wireStrings(user, "ssh-connection", "publickey"),
    Buffer.of(hasSignature ? 1 : 0),
    wireStrings(algorithm, blob),
  ]);
}
