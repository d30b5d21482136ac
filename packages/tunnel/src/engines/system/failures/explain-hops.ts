import { readFile } from "node:fs/promises";
import { TunnelError } from "../../../errors.ts";
import type { SshSettings } from "../../../settings/ssh-settings.ts";
import { explainFailure, placeOf } from "./explain-failure.ts";
import type { HopOnRoute } from "../arguments/route.ts";
import { createSshLog, type SshLog } from "../ssh-log.ts";

/** What a host on the way said that did not get through to the next one. */
const OPEN_FAILED = /^channel \d+: open failed: (.+)$/u;

/** The failure of the first host on the way that has one. */
export async function explainHops(
  hops: readonly HopOnRoute[],
  target: SshSettings,
  exitCode: number | null,
): Promise<TunnelError | undefined> {
  const logs = await Promise.all(hops.map(readHopLog));
  for (const [index, { settings, known }] of hops.entries()) {
    const log = logs[index];
    if (log === undefined) continue;
    const next = hops[index + 1]?.settings ?? target;
    const failure =
      explainUnreachedNext(log, next) ??
      explainFailure({ settings, log, known, usesProxyCommand: index > 0, exitCode });
    if (failure === undefined) continue;
    const hop = placeOf(settings);
    return new TunnelError(failure.code, `jump host ${hop}: ${failure.message}`, {
      hint: failure.hint,
      details: { ...failure.details, hop },
    });
  }
  return undefined;
}

/** What the ssh of a hop has written so far. */
export async function readHopLog({ logFile }: Pick<HopOnRoute, "logFile">): Promise<SshLog> {
  const log = createSshLog();
  const text = await readFile(logFile, "utf8").catch(() => "");
  for (const line of text.split(/\r?\n/u)) log.add(line);
  return log;
}

function explainUnreachedNext(
  { messages }: Pick<SshLog, "messages">,
  next: SshSettings,
): TunnelError | undefined {
  const said = messages.map((line) => OPEN_FAILED.exec(line)?.[1]).find(Boolean);
  if (said === undefined) return undefined;
  const place = placeOf(next);
  const details = { stage: "connect" };
  if (/administratively prohibited|unknown channel type/u.test(said)) {
    return new TunnelError("FORWARD_REFUSED", `it refuses to pass on to ${place} (${said}).`, {
      details,
      hint: "See AllowTcpForwarding and PermitOpen in its sshd_config.",
    });
  }
  if (/Name or service|not known|resolve|nodename nor servname/iu.test(said)) {
    const message = `it has no address for the name of ${place} (${said}).`;
    return new TunnelError("NAME_NOT_RESOLVED", message, { details });
  }
  if (/No route|unreachable/iu.test(said)) {
    const message = `there is no way from it to ${place} (${said}).`;
    return new TunnelError("HOST_UNREACHABLE", message, { details });
  }
  if (/timed out/iu.test(said)) {
    return new TunnelError("TIMED_OUT", `${place} did not answer it (${said}).`, { details });
  }
  return new TunnelError("CONNECTION_REFUSED", `it found nothing on ${place} (${said}).`, {
    details,
  });
}
