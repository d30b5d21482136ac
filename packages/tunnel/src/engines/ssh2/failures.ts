import { TunnelError } from "../../errors.ts";

/** Where a connection stood when it failed. */
export type ConnectStage = "connect" | "handshake" | "authentication" | "keepalive";

/** Something else has answered. */
export function notSsh(place: string, cause: unknown): TunnelError {
  return new TunnelError("NOT_SSH", `${place} answers, but is no SSH server.`, {
    cause,
    details: { stage: "handshake" },
    hint: "Check the port: a web server or a Gateway may listen there.",
  });
}

/**
 * What an error of ssh2 means. It has few codes of its own; `level` tells where it came from, and the
 * text of the negotiation errors is part of its tested version.
 */
export function toTunnelError(error: unknown, place: string, stage: ConnectStage): TunnelError {
  if (error instanceof TunnelError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const { code, level } = cause as { code?: string; level?: string };
  const { message } = cause;
  const details = { stage };
  const mismatch = /no matching ([\w>\- ]+)/iu.exec(message)?.[1];
  if (mismatch !== undefined) {
    const kind = mismatch.replace(/ algorithm$/u, "");
    return new TunnelError("NO_COMMON_ALGORITHM", `${place} and this engine share no ${kind}.`, {
      cause,
      details: { ...details, kind },
      hint: "Choose the engine `system` if ssh itself can connect, or update the SSH server.",
    });
  }
  if (/invalid (identification string|header)|max greeting|header line too long/iu.test(message)) {
    return notSsh(place, cause);
  }
  if (level === "client-timeout") {
    return new TunnelError("TIMED_OUT", `${place} did not answer in time (${stage}).`, {
      cause,
      details,
    });
  }
  if (code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return new TunnelError("TIMED_OUT", `the connection to ${place} went silent.`, {
      cause,
      details,
    });
  }
  return new TunnelError("CONNECTION_LOST", `the connection to ${place} broke: ${message}.`, {
    cause,
    details,
  });
}
