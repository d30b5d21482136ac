import { timingSafeEqual } from "node:crypto";
import { connect as connectTls } from "node:tls";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions, TLSSocket } from "node:tls";

/** Takes what http knows of the host; answers with the socket, or later through `done`. */
export type CreateTlsConnection = (
  options: ConnectionOptions,
  done: (error: Error | null, socket?: TLSSocket) => void,
) => TLSSocket | undefined;

export interface TlsConnectionOptions {
  /** SHA-256 of the only certificate to accept, instead of what an authority says. */
  readonly pin?: string | undefined;
  /** Runs on this stream instead of dialling. */
  readonly stream?: Duplex | undefined;
}

/**
 * Connects with TLS. With a pin the socket is handed over only after the pin was checked, so that no
 * byte goes to a stranger.
 */
export function tlsConnection({ pin, stream }: TlsConnectionOptions): CreateTlsConnection {
  function complete(given: ConnectionOptions): ConnectionOptions {
    const { path: _, host = "", ...rest } = given;
    return {
      ...rest,
      host,
      ...(stream && { socket: stream }),
      // A name in the hello is for names; an address is checked against the certificate all the same.
      servername: rest.servername ?? (isIP(host) ? "" : host),
    };
  }
  if (pin === undefined) return (options) => connectTls(complete(options));
  const wanted = Buffer.from(normalizeFingerprint(pin));
  return (options, done) => {
    // The pin stands in for the certificate authorities.
    const socket = connectTls({ ...complete(options), rejectUnauthorized: false }, () => {
      const shown = normalizeFingerprint(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
      const seen = Buffer.from(shown);
      socket.removeListener("error", done);
      if (seen.length === wanted.length && timingSafeEqual(seen, wanted)) return done(null, socket);
      socket.destroy();
      const error = new Error(
        `certificate fingerprint is ${shown}, pinned is ${wanted.toString()}`,
      );
      done(Object.assign(error, { code: "ERR_TLS_PIN_MISMATCH" }));
    });
    socket.once("error", done);
    return undefined;
  };
}

function normalizeFingerprint(text: string): string {
  return text.replaceAll(":", "").trim().toLowerCase();
}
