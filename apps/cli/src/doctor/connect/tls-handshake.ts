import { createHash, type X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { matchesTlsPin, type TlsPin, type TlsPinSubject } from "@openclaw/config";

/** What a TLS handshake on a stream led to. */
export type TlsOutcome =
  /** Whatever the certificate is worth: nothing has been sent yet. */
  | {
      readonly kind: "encrypted";
      readonly socket: TLSSocket;
      /** Absent where the certificate may be trusted. */
      readonly objection: TlsObjection | undefined;
      readonly shown: ShownCertificate | undefined;
      /** Version, for people. */
      readonly protocol: string;
    }
  /** The other side ended it, or spoke something else. */
  | { readonly kind: "failed"; readonly code: string | undefined; readonly message: string }
  | { readonly kind: "silent" };

/** Why a certificate is not trusted. */
export type TlsObjection =
  | { readonly kind: "pin" }
  | { readonly kind: "date"; readonly isExpired: boolean }
  | { readonly kind: "name"; readonly message: string }
  | { readonly kind: "authority"; readonly code: string };

export interface ShownCertificate extends TlsPinSubject {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface TlsHandshakeOptions {
  readonly host: string;
  /** With pins only they count; without any an authority has to vouch. */
  readonly pins: readonly TlsPin[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Shakes hands on a stream and judges what was shown. Never rejects, but for the signal. */
export function shakeTls(stream: Duplex, options: TlsHandshakeOptions): Promise<TlsOutcome> {
  const { host, timeoutMs, signal } = options;
  let wrongName: Error | undefined;
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      socket: stream,
      host,
      servername: isIP(host) === 0 ? host : "",
      minVersion: "TLSv1.2",
      // Judged below, where it is known what was shown.
      rejectUnauthorized: false,
      checkServerIdentity(name, certificate) {
        wrongName = checkServerIdentity(name, certificate);
        return wrongName;
      },
    });
    const settle = (outcome: TlsOutcome): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.off("error", failed);
      socket.off("close", closed);
      socket.on("error", () => {});
      if (outcome.kind !== "encrypted") socket.destroy();
      resolve(outcome);
    };
    const failed = (error: Error & { code?: string }): void =>
      settle({ kind: "failed", code: error.code, message: error.message });
    const closed = (): void => settle({ kind: "failed", code: undefined, message: "it hung up" });
    const abort = (): void => {
      settle({ kind: "silent" });
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      reject(signal.reason);
    };
    const timer = setTimeout(() => settle({ kind: "silent" }), timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", failed);
    socket.once("close", closed);
    socket.once("secureConnect", () => {
      const shown = describe(socket.getPeerX509Certificate());
      settle({
        kind: "encrypted",
        socket,
        shown,
        objection: judge(socket, shown, { pins: options.pins, wrongName }),
        protocol: socket.getProtocol() ?? "TLS",
      });
    });
  });
}

function judge(
  socket: TLSSocket,
  shown: ShownCertificate | undefined,
  { pins, wrongName }: { pins: readonly TlsPin[]; wrongName: Error | undefined },
): TlsObjection | undefined {
  if (pins.length > 0) {
    return shown !== undefined && matchesTlsPin(pins, shown) ? undefined : { kind: "pin" };
  }
  if (socket.authorized) return undefined;
  if (wrongName !== undefined) return { kind: "name", message: wrongName.message };
  // Node gives the code here, although its types promise an error.
  const code = String(socket.authorizationError);
  if (code === "CERT_HAS_EXPIRED") return { kind: "date", isExpired: true };
  if (code === "CERT_NOT_YET_VALID") return { kind: "date", isExpired: false };
  return { kind: "authority", code };
}

function describe(certificate: X509Certificate | undefined): ShownCertificate | undefined {
  if (certificate === undefined) return undefined;
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    fingerprint: certificate.fingerprint256,
    publicKey: `sha256//${createHash("sha256").update(key).digest("base64")}`,
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
}
