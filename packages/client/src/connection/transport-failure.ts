import { CLOSE, CLOSE_REASON } from "@openclaw/protocol";
import { GatewayError } from "../errors.ts";
import { INSECURE_URL_HINT } from "../gateway-url.ts";
import { printable } from "../handshake/refusal.ts";
import { PIN_MISMATCH_CODE, TlsRefusal } from "../transport/tls-connection.ts";
import { PUBLIC_ADDRESS_CODE } from "../transport/transport.ts";
import type { GatewayErrorOptions } from "../errors.ts";
import type { TransportClose } from "../transport/transport.ts";

const WRONG_PORT_HINT =
  "Another program, or a forward whose far end is gone, holds that port. Check host and port.";
const NO_GATEWAY_BEHIND_HINT =
  "A proxy there finds no Gateway behind it. Start the Gateway, or correct the address that the proxy leads to.";

/** Why a connection that ended before its hello did so. Pure. */
export function dialFailure(
  endpoint: string,
  wasOpen: boolean,
  close: TransportClose,
): GatewayError {
  const { error, httpStatus } = close;
  if (httpStatus !== undefined) return httpFailure(endpoint, httpStatus, close);
  const code = errorCode(error);
  const cause = error === undefined ? {} : { cause: error };
  if (code === PUBLIC_ADDRESS_CODE) {
    return new GatewayError("INSECURE_URL", `refusing plaintext ${endpoint}: ${messageOf(error)}`, {
      final: true,
      hint: INSECURE_URL_HINT,
      ...cause,
    });
  }
  if (error instanceof TlsRefusal) return refusedCertificate(endpoint, error);
  if (isTlsFailure(code, error)) {
    return new GatewayError("TLS_FAILED", `TLS with ${endpoint} failed: ${messageOf(error)}`, {
      hint: "The two sides share no version or cipher of TLS, or something in between breaks it.",
      ...cause,
    });
  }
  if (isForeignAnswer(code, error)) {
    return notAGateway(endpoint, messageOf(error), cause);
  }
  if (wasOpen) return lostConnection(endpoint, "during the handshake", close);
  const what = error ? messageOf(error) : "closed before the WebSocket was open";
  return new GatewayError("CONNECT_REFUSED", `cannot reach ${endpoint}: ${what}`, {
    hint: `Is the Gateway running there? Try "openclaw gateway status" or start one with "openclaw gateway run".`,
    ...cause,
  });
}

/** Somebody answered in TLS whom this side does not accept; nothing was sent to him. */
function refusedCertificate(endpoint: string, refusal: TlsRefusal): GatewayError {
  const { code, shown, expected } = refusal;
  const text = `TLS with ${endpoint} failed: ${messageOf(refusal)}`;
  if (code === PIN_MISMATCH_CODE) {
    return new GatewayError("TLS_PIN_MISMATCH", text, {
      final: true,
      hint:
        'Somebody may sit in between. Only if "openclaw gateway status" on the Gateway\'s own machine ' +
        "shows the same new fingerprint, pin that instead.",
      details: { code, expected, found: shown },
      cause: refusal,
    });
  }
  return new GatewayError("TLS_FAILED", text, {
    hint:
      'Run "openclaw gateway status" on the Gateway\'s own machine, and pin the fingerprint that it shows: ' +
      "--tls-fingerprint or gateway.remote.tlsFingerprint.",
    details: { code, found: shown },
    cause: refusal,
  });
}

/** The error for requests and for the next attempt when a connection ended. Pure. */
export function lostConnection(
  endpoint: string,
  when: string,
  { code, reason, error }: TransportClose,
): GatewayError {
  const said = printable(reason) || (error ? messageOf(error) : "no close reason");
  const cause = error === undefined ? {} : { cause: error };
  if (code === CLOSE.POLICY_VIOLATION && reason.startsWith(CLOSE_REASON.SUPERSEDED)) {
    return new GatewayError("SUPERSEDED", `${endpoint} closed the connection (1008): ${said}`, {
      final: true,
      hint: "The same device connected from somewhere else; run one of the two, or give each its own identity.",
      closeCode: code,
    });
  }
  return new GatewayError("CONNECTION_LOST", `${endpoint} closed (${code}) ${when}: ${said}`, {
    closeCode: code,
    ...cause,
  });
}

/** Something answered that speaks another protocol. */
export function notAGateway(
  endpoint: string,
  what: string,
  options: GatewayErrorOptions = {},
): GatewayError {
  return new GatewayError(
    "NOT_A_GATEWAY",
    `what answers at ${endpoint} is not a Gateway: ${what}`,
    {
      hint: WRONG_PORT_HINT,
      ...options,
    },
  );
}

function httpFailure(endpoint: string, status: number, close: TransportClose): GatewayError {
  if (status === 429 || status === 503) {
    // A proxy whose server is gone says 503 as well.
    const what = status === 429 ? "is busy" : "is busy, or a proxy without its Gateway";
    return new GatewayError("CONNECT_REFUSED", `${endpoint} ${what} (HTTP ${status})`, {
      retryAfterMs: close.retryAfterMs,
    });
  }
  if (status === 401 || status === 403) {
    return new GatewayError(
      "HANDSHAKE_REJECTED",
      `${endpoint} refused the upgrade (HTTP ${status})`,
      {
        hint:
          "A proxy on the way may add headers that the Gateway does not trust, or demand a login: " +
          '"openclaw doctor connect" tells which.',
      },
    );
  }
  if (status === 502 || status === 504) {
    return notAGateway(endpoint, `it answered HTTP ${status}`, { hint: NO_GATEWAY_BEHIND_HINT });
  }
  return notAGateway(endpoint, `it answered HTTP ${status}`);
}

function errorCode(error: Error | undefined): string | undefined {
  if (!error || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Errors of the HTTP parser and of the upgrade check: bytes came, but not those of a WebSocket. */
function isForeignAnswer(code: string | undefined, error: Error | undefined): boolean {
  if (code?.startsWith("HPE_") || code?.startsWith("WS_ERR_")) return true;
  return (
    /^Invalid (?:Upgrade|Sec-WebSocket)|^Server sent/.test(error?.message ?? "") ||
    isPlaintext(error)
  );
}

/** A TLS client was answered in plaintext; OpenSSL tells that only in words. */
function isPlaintext(error: Error | undefined): boolean {
  return /wrong version number|packet length too long/i.test(error?.message ?? "");
}

function isTlsFailure(code: string | undefined, error: Error | undefined): boolean {
  if (code === undefined || isPlaintext(error)) return false;
  return /^(?:EPROTO|ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/.test(
    code,
  );
}

function messageOf(error: Error | undefined): string {
  if (!error) return "unknown";
  // Several addresses were tried; each has its own error and the sum has no text.
  if (error instanceof AggregateError && error.message === "") {
    return printable(
      error.errors.map((one) => (one instanceof Error ? one.message : "")).join("; "),
    );
  }
  return printable(error.message);
}
