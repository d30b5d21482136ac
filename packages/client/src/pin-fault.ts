import { GatewayError } from "./errors.ts";
import { readTlsPins } from "./transport/tls-pin.ts";
import type { CheckedGatewayUrl } from "./gateway-url.ts";

/** Why the pins cannot be held to; undefined where they can. Told before anything is dialled. */
export function pinFault(
  { url, isTls }: CheckedGatewayUrl,
  given: readonly string[] | undefined,
): GatewayError | undefined {
  if (given === undefined) return undefined;
  const read = readTlsPins(given);
  if (!read.ok) {
    return new GatewayError("TLS_PIN_INVALID", `cannot hold to the TLS pin: ${read.fault}`, {
      final: true,
      hint: "Give one or two: SHA-256 of the certificate, 64 hex digits, or sha256//<base64> of its public key.",
    });
  }
  if (isTls) return undefined;
  return new GatewayError("TLS_PIN_INVALID", `a TLS pin is given, and ${url} is plaintext`, {
    final: true,
    hint: "Use wss://, or leave the pin out.",
  });
}
