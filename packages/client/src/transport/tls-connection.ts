import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, connect as connectTls } from "node:tls";
import { formatTlsPin, matchesTlsPin } from "./tls-pin.ts";
import type { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { ShownCertificate, TlsPin } from "./tls-pin.ts";

/** Code of a {@link TlsRefusal} whose certificate is not a pinned one. */
export const PIN_MISMATCH_CODE = "ERR_TLS_PIN_MISMATCH";

/** A certificate that is not accepted. Nothing was sent to whoever has shown it. */
export class TlsRefusal extends Error {
  /** {@link PIN_MISMATCH_CODE}, or what Node calls the fault. */
  readonly code: string;
  readonly shown: ShownCertificate | undefined;
  /** Pins of which the certificate should have had one, in their usual form. */
  readonly expected: readonly string[];

  constructor(
    code: string,
    message: string,
    shown: ShownCertificate | undefined,
    expected: readonly string[] = [],
  ) {
    super(message);
    this.code = code;
    this.shown = shown;
    this.expected = expected;
  }
}

/** Takes what http knows of the host; answers with the socket later, through `done`. */
export type CreateTlsConnection = (
  options: ConnectionOptions,
  done: (error: Error | null, socket?: TLSSocket) => void,
) => undefined;

export interface TlsConnectionOptions {
  /** The only certificates or public keys to accept; without any an authority has to vouch. */
  readonly pins: readonly TlsPin[];
  /** Runs on this stream instead of dialling. */
  readonly stream?: Duplex | undefined;
  /** Gives a handshake up that is not over yet. */
  readonly signal: AbortSignal;
}

/**
 * Connects with TLS 1.2 or later. The socket is handed over only after the certificate was found
 * right, so that not one byte goes to a stranger. A pin stands in for authority, name and date; it
 * is what was compared by hand. Without one all three must hold, whatever the environment says.
 */
export function tlsConnection(options: TlsConnectionOptions): CreateTlsConnection {
  const { pins, stream, signal } = options;
  return (given, done) => {
    const { path: _, host = "", ...rest } = given;
    let wrongName: Error | undefined;
    const socket = connectTls({
      ...rest,
      host,
      ...(stream && { socket: stream }),
      // A name in the hello is for names; an address is checked against the certificate all the same.
      servername: rest.servername ?? (isIP(host) ? "" : host),
      minVersion: "TLSv1.2",
      // Judged below, where it is known what was shown.
      rejectUnauthorized: false,
      checkServerIdentity(name, certificate) {
        wrongName = checkServerIdentity(name, certificate);
        return wrongName;
      },
    });
    const abandon = (): void => void socket.destroy();
    signal.addEventListener("abort", abandon, { once: true });
    const settle = (error: Error | null): void => {
      socket.off("error", settle);
      signal.removeEventListener("abort", abandon);
      if (error === null) return done(null, socket);
      // What it still reports follows from being refused.
      socket.on("error", () => {});
      socket.destroy();
      done(error);
    };
    socket.once("error", settle);
    socket.once("secureConnect", () => {
      try {
        settle(judge(socket, pins, wrongName) ?? null);
      } catch (error) {
        // A certificate that cannot be looked at is none.
        settle(new TlsRefusal("ERR_TLS_CERT_UNREADABLE", String(error), undefined));
      }
    });
    return undefined;
  };
}

function judge(
  socket: TLSSocket,
  pins: readonly TlsPin[],
  wrongName: Error | undefined,
): TlsRefusal | undefined {
  const certificate = socket.getPeerX509Certificate();
  const shown = certificate && describe(certificate);
  if (pins.length > 0) {
    if (shown && matchesTlsPin(pins, shown)) return undefined;
    return pinMismatch(pins.map(formatTlsPin), shown);
  }
  if (socket.authorized) return undefined;
  if (wrongName) return new TlsRefusal("ERR_TLS_CERT_ALTNAME_INVALID", wrongName.message, shown);
  // Node gives the code here, although its types promise an error.
  const code = String(socket.authorizationError);
  const words = FAULTS[code] ?? "the certificate does not hold";
  return new TlsRefusal(code, `${words} (${code})`, shown);
}

function pinMismatch(expected: readonly string[], shown: ShownCertificate | undefined): TlsRefusal {
  const found = shown
    ? `it shows ${shown.fingerprint}, with the public key ${shown.publicKey}`
    : "it shows none";
  const message = `the certificate is not the pinned one: expected ${expected.join(" or ")}; ${found}`;
  return new TlsRefusal(PIN_MISMATCH_CODE, message, shown, expected);
}

const FAULTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "nobody but itself vouches for the certificate",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate was issued by nobody whom this machine trusts",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the certificate was issued by nobody whom this machine trusts",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate comes without those of its issuers",
  CERT_HAS_EXPIRED: "the certificate has expired, or the clock of this machine is ahead",
  CERT_NOT_YET_VALID: "the certificate is not valid yet, or the clock of this machine is behind",
};

function describe(certificate: X509Certificate): ShownCertificate {
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    fingerprint: certificate.fingerprint256,
    publicKey: `sha256//${createHash("sha256").update(key).digest("base64")}`,
  };
}
