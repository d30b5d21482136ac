import type { ExecApprovalsFile } from "@openclaw/protocol";
import { CommandError } from "../../errors.ts";
import { matchesPathPattern } from "./path-pattern.ts";

/** What may run: nothing, listed programs, everything. */
export type ExecSecurity = "deny" | "allowlist" | "full";

/** When somebody has to approve: never, for programs that are not listed, always. */
export type ExecAsk = "off" | "on-miss" | "always";

export interface ExecPolicy {
  security: ExecSecurity;
  ask: ExecAsk;
  /** What counts when an approval is needed and nobody can be asked. */
  askFallback: ExecSecurity;
}

/** The policy of a node whose file says nothing. */
export const defaultExecPolicy: ExecPolicy = { security: "full", ask: "off", askFallback: "deny" };

const SECURITY: readonly ExecSecurity[] = ["deny", "allowlist", "full"];
const ASK: readonly ExecAsk[] = ["off", "on-miss", "always"];

/** The agent that calls without a name belong to, and the one whose rules hold for all. */
const MAIN_AGENT = "main";
const EVERY_AGENT = "*";

/** Policy and list for one agent. */
export interface EffectivePolicy extends ExecPolicy {
  /** Patterns of paths; see {@link matchesPathPattern}. */
  allowlist: readonly string[];
}

/**
 * The rules for one agent: its own before those of `*`, before the defaults of the file, before
 * `fallback`. The lists of the agent and of `*` count together. Entries that also restrict arguments
 * are left out, because this release cannot check that part.
 *
 * @throws {CommandError} `SYSTEM_RUN_DENIED` if a value is none that this release knows
 */
export function effectivePolicy(
  file: ExecApprovalsFile,
  agentId: string | undefined,
  fallback: ExecPolicy = defaultExecPolicy,
): EffectivePolicy {
  const own = file.agents?.[agentId ?? MAIN_AGENT];
  const every = file.agents?.[EVERY_AGENT];
  const layers = [own, every, file.defaults];
  const first = (name: "security" | "ask" | "askFallback"): string | undefined =>
    layers.find((layer) => layer?.[name] !== undefined)?.[name];
  const entries = [...(own?.allowlist ?? []), ...(every?.allowlist ?? [])];
  return {
    security: oneOf(SECURITY, first("security") ?? fallback.security, "security"),
    ask: oneOf(ASK, first("ask") ?? fallback.ask, "ask"),
    askFallback: oneOf(SECURITY, first("askFallback") ?? fallback.askFallback, "askFallback"),
    allowlist: entries
      .filter((entry) => entry.argPattern === undefined)
      .map((entry) => entry.pattern),
  };
}

export interface ExecQuestion {
  policy: EffectivePolicy;
  /** The file that would be executed; `undefined` if there is none. */
  executable: string | undefined;
  homedir: string;
  platform: NodeJS.Platform;
}

/**
 * Whether a program may run. Nobody can be asked on the node, and nothing that a caller sends counts
 * as an approval; so where one is needed, `askFallback` decides.
 *
 * @throws {CommandError} `SYSTEM_RUN_DENIED`
 */
export function assertMayRun({ policy, executable, homedir, platform }: ExecQuestion): void {
  if (policy.security === "deny") throw denied("SYSTEM_RUN_DISABLED: security=deny");
  const isListed = (): boolean =>
    executable !== undefined &&
    policy.allowlist.some((pattern) => matchesPathPattern(pattern, executable, homedir, platform));
  const isMiss = policy.security === "allowlist" && !isListed();
  const needsApproval = policy.ask === "always" || (policy.ask === "on-miss" && isMiss);
  if (!needsApproval) {
    if (isMiss) throw denied("SYSTEM_RUN_DENIED: allowlist miss");
    return;
  }
  if (policy.askFallback === "full") return;
  if (policy.askFallback === "allowlist" && isListed()) return;
  throw denied("SYSTEM_RUN_DENIED: approval required");
}

function denied(message: string): CommandError {
  return new CommandError("SYSTEM_RUN_DENIED", message);
}

function oneOf<T extends string>(known: readonly T[], value: string, name: string): T {
  const found = known.find((each) => each === value);
  if (found !== undefined) return found;
  throw denied(`SYSTEM_RUN_DENIED: exec approvals: unknown ${name} ${JSON.stringify(value)}`);
}
