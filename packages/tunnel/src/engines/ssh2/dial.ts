import { connect, type Socket } from "node:net";
import { TunnelError, type TunnelErrorDetails } from "../../errors.ts";
import type { SshSettings } from "../../settings/ssh-settings.ts";

const FAMILY = { any: 0, inet: 4, inet6: 6 } as const;

/**
 * Opens the TCP connection to the SSH port, without delay for small packets.
 *
 * @throws {@link TunnelError} `NAME_NOT_RESOLVED`, `CONNECTION_REFUSED`, `HOST_UNREACHABLE`
 */
export function dial(settings: SshSettings, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: settings.hostName,
      port: settings.port,
      family: FAMILY[settings.addressFamily],
      noDelay: true,
      ...(settings.bindAddress === undefined ? {} : { localAddress: settings.bindAddress }),
    });
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.once("error", (cause) => {
      signal.removeEventListener("abort", abort);
      reject(dialFailure(cause, settings));
    });
  });
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "EADDRNOTAVAIL",
]);

function dialFailure(cause: Error, settings: SshSettings): TunnelError {
  const code = codeOf(cause);
  const place = `${settings.hostName}:${settings.port}`;
  const details: TunnelErrorDetails = { stage: "connect" };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "EAI_NODATA") {
    return new TunnelError("NAME_NOT_RESOLVED", `the name ${settings.hostName} has no address.`, {
      cause,
      details,
      hint: "Check the spelling, the network and the HostName in your ssh config.",
    });
  }
  if (code === "ECONNREFUSED") {
    return new TunnelError("CONNECTION_REFUSED", `nothing listens on ${place}.`, {
      cause,
      details,
      hint: "Check that sshd runs there and that this is its port.",
    });
  }
  if (code === "ETIMEDOUT") {
    return new TunnelError("TIMED_OUT", `${place} did not answer.`, { cause, details });
  }
  if (code !== undefined && UNREACHABLE.has(code)) {
    return new TunnelError("HOST_UNREACHABLE", `there is no way to ${place} (${code}).`, {
      cause,
      details,
      hint: "Check the network and, if there is one, the VPN.",
    });
  }
  return new TunnelError("CONNECTION_LOST", `cannot connect to ${place}: ${cause.message}.`, {
    cause,
    details,
  });
}

/** The first code of an error, or of those that a dial over several addresses collected. */
function codeOf(error: Error): string | undefined {
  const { code, errors } = error as { code?: string; errors?: readonly { code?: string }[] };
  // Refused by one address says more than unreachable by the other.
  const codes = errors?.map((one) => one.code) ?? [];
  return codes.includes("ECONNREFUSED") ? "ECONNREFUSED" : (code ?? codes[0]);
}
