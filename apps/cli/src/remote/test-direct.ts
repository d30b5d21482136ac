import { createHash, type X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { messageOf } from "@openclaw/app-kit";
import { matchesTlsPin, parseTlsPin, type TlsPinSubject } from "@openclaw/config";
import { reachPort, type ReachOptions, resolveName } from "./reach.ts";
import { meetGateway, type WalkOptions } from "./test-over-ssh.ts";
import { StepFailure, type StepTitles, type Taken } from "./walk.ts";

export const DIRECT_STEPS: StepTitles = {
  name: "The name resolves",
  port: "The port answers",
  tls: "The certificate holds",
  websocket: "The WebSocket answers",
  authentication: "The Gateway accepts the secret",
  pairing: "The Gateway knows this device",
};

/**
 * From the name in a URL to the Gateway there.
 *
 * @throws {StepFailure} of the first step that fails
 */
export async function testDirect(options: WalkOptions): Promise<void> {
  const { gateway, walk, timeoutMs, interruption } = options;
  const { url, tlsFingerprint } = gateway.target;
  const { hostname, port: written, protocol } = new URL(url);
  const isTls = protocol === "wss:";
  const host = hostname.replace(/^\[|\]$/gu, "");
  const port = Number(written || (isTls ? 443 : 80));
  const reach = { timeoutMs, signal: interruption.signal };
  await walk.take(["name"], () => resolveName(host));
  await walk.take(["port"], () => reachPort(host, port, reach));
  if (isTls) await walk.take(["tls"], () => checkCertificate(host, port, tlsFingerprint, reach));
  else walk.skip("tls", "not used by ws://");
  await walk.take(["websocket", "authentication", "pairing"], () => meetGateway(options));
}

/** With pins a certificate that has one of them and no other, whoever has signed it. */
function checkCertificate(
  host: string,
  port: number,
  pins: readonly string[] | undefined,
  { timeoutMs, signal }: ReachOptions,
): Promise<Taken<undefined>> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectTls({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      minVersion: "TLSv1.2",
      rejectUnauthorized: pins === undefined,
      timeout: timeoutMs,
    });
    const abort = (): void => fail(signal.reason);
    const settle = (): void => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("timeout", () =>
      fail(new StepFailure(`no TLS answer within ${timeoutMs} ms.`, { code: "TIMED_OUT" })),
    );
    socket.once("error", (cause) =>
      fail(
        new StepFailure(`${messageOf(cause)}.`, {
          code: "TLS_FAILED",
          hint: "One that no authority has signed has to be pinned: --tls-fingerprint with what openclaw gateway status shows on the Gateway's own machine.",
          cause,
        }),
      ),
    );
    socket.once("secureConnect", () => {
      const shown = describeCertificate(socket.getPeerX509Certificate());
      settle();
      const accepted = (pins ?? []).flatMap((text) => {
        const parsed = parseTlsPin(text);
        return parsed.ok ? [parsed.pin] : [];
      });
      if (pins === undefined || matchesTlsPin(accepted, shown)) {
        resolve({ value: undefined, detail: `SHA-256 ${shown.fingerprint}` });
        return;
      }
      reject(
        new StepFailure(
          `the certificate is not the pinned one: expected ${pins.join(" or ")}; it has ${shown.fingerprint}, with the public key ${shown.publicKey}.`,
          { code: "TLS_PIN_MISMATCH", hint: MISMATCH_HINT },
        ),
      );
    });
  });
}

const MISMATCH_HINT =
  "Somebody may sit in between. Only if openclaw gateway status on the Gateway's own machine shows the same, pin that: remote set <url> --tls-fingerprint <pin>";

function describeCertificate(certificate: X509Certificate | undefined): TlsPinSubject {
  if (certificate === undefined) return { fingerprint: "none", publicKey: "none" };
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  const digest = createHash("sha256").update(key).digest("base64");
  return { fingerprint: certificate.fingerprint256, publicKey: `sha256//${digest}` };
}
