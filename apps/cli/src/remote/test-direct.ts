import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { messageOf } from "@openclaw/app-kit";
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

/** With a pin that certificate and no other, whoever has signed it. */
function checkCertificate(
  host: string,
  port: number,
  pin: string | undefined,
  { timeoutMs, signal }: ReachOptions,
): Promise<Taken<undefined>> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectTls({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: pin === undefined,
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
          hint: "Pin a certificate that nobody has signed: gateway.remote.tlsFingerprint",
          cause,
        }),
      ),
    );
    socket.once("secureConnect", () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      settle();
      if (pin === undefined || bare(pin) === bare(fingerprint256)) {
        resolve({ value: undefined, detail: `SHA-256 ${fingerprint256}` });
        return;
      }
      reject(
        new StepFailure(`the certificate is not the pinned one: it has ${fingerprint256}.`, {
          code: "TLS_PIN_MISMATCH",
          hint: "Somebody may sit in between; if the Gateway has a new certificate, change gateway.remote.tlsFingerprint.",
        }),
      );
    });
  });
}

function bare(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
