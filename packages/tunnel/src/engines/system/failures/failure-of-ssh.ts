import { TunnelError } from "../../../errors.ts";
import type { EngineOptions } from "../../engine.ts";
import { explainFailure, lastWords, placeOf } from "./explain-failure.ts";
import { explainHops } from "./explain-hops.ts";
import type { SystemRoute } from "../arguments/route.ts";
import type { ChildExit, SshChild } from "../ssh-child.ts";

/** An ssh on its route. */
export interface SshOnRoute {
  readonly options: EngineOptions;
  readonly route: SystemRoute;
  readonly child: Pick<SshChild, "log">;
  /** The only key that is acceptable, where the target was asked for it. */
  readonly pinned?: string | undefined;
}

/** Why ssh has ended. */
export async function failureOfSsh(
  { options, route, child, pinned }: SshOnRoute,
  exit: ChildExit,
): Promise<TunnelError> {
  const { settings } = options;
  const { facts } = child.log;
  const failed = {
    settings,
    log: child.log,
    known: route.known,
    pinned,
    usesProxyCommand: route.usesProxyCommand,
    exitCode: exit.code,
  };
  // While it shakes hands with the target, the hosts on the way are none of its troubles.
  const reachesTarget = facts.serverVersion !== undefined && facts.stage !== "keepalive";
  const ofHops = reachesTarget ? undefined : await explainHops(route.hops, settings, exit.code);
  const cause = ofHops ?? explainFailure(failed);
  if (cause !== undefined) return cause;
  const how = exit.signal ?? `exit code ${exit.code}`;
  const details = { exitCode: exit.code, stderr: lastWords(child.log), stage: facts.stage };
  return new TunnelError("ENGINE_FAILED", `ssh to ${placeOf(settings)} ended with ${how}.`, {
    details,
  });
}

/** ssh took longer than it may. */
export function tooSlow(
  { settings, connectTimeoutMs }: Pick<EngineOptions, "settings" | "connectTimeoutMs">,
  log: SshChild["log"] | undefined,
): TunnelError {
  const { stage = "connect", agent, hasChosenKeys } = log?.facts ?? {};
  const place = placeOf(settings);
  const awaitsAgent = stage === "authentication" && agent === "silent" && hasChosenKeys === false;
  if (awaitsAgent && settings.identityAgent !== undefined) {
    return new TunnelError(
      "AGENT_LOCKED",
      `the agent did not list its keys within ${connectTimeoutMs} ms.`,
      { details: { stage }, hint: "See whether it answers: ssh-add -l" },
    );
  }
  const message = `${place} did not answer within ${connectTimeoutMs} ms (${stage}).`;
  return new TunnelError("TIMED_OUT", message, { details: { stage } });
}
