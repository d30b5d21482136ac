import { statSync } from "node:fs";
import { resolve } from "node:path";
import { CommandError } from "../../errors.ts";
import { assertMayRun, effectivePolicy, type EffectivePolicy } from "../policy/exec-policy.ts";
import type { ExecApprovalsStore } from "../policy/exec-approvals-store.ts";
import type { SystemHost } from "../system-host.ts";
import { childEnv, pathOf } from "./child-env.ts";
import { resolveExecutable } from "./resolve-executable.ts";

export interface RunRequest {
  command: readonly string[];
  cwd: string | undefined;
  env: Readonly<Record<string, string>>;
  agentId: string | undefined;
}

/** What would be executed, and by which rule. */
export interface RunTarget {
  /** Absolute path; absent if the program was not found. */
  executable: string | undefined;
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  policy: EffectivePolicy;
}

/** Resolves a request, so that what is checked is what is executed. */
export function resolveRunTarget(
  request: RunRequest,
  host: SystemHost,
  approvals: ExecApprovalsStore,
): RunTarget {
  const policy = readPolicy(approvals, request.agentId);
  const cwd = resolve(host.cwd, request.cwd ?? ".");
  const env = childEnv({
    base: host.env,
    overrides: request.env,
    isRestricted: policy.security === "allowlist",
    platform: host.platform,
  });
  const executable = resolveExecutable(request.command[0] ?? "", {
    pathEnv: pathOf(env),
    cwd,
    platform: host.platform,
    pathExt: env["PATHEXT"],
  });
  return { executable, argv: request.command, cwd, env, policy };
}

/** @throws {CommandError} `SYSTEM_RUN_DENIED` */
export function assertTargetMayRun({ policy, executable }: RunTarget, host: SystemHost): void {
  assertMayRun({ policy, executable, homedir: host.homedir, platform: host.platform });
}

/** Why the target cannot be started, in words for the caller; `undefined` if it can be tried. */
export function startProblem({ executable, argv, cwd }: RunTarget): string | undefined {
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) return `no such folder: ${cwd}`;
  if (executable === undefined) return `command not found: ${argv[0] ?? ""}`;
  return undefined;
}

/** An unreadable file denies: what it forbade is not known. */
function readPolicy(approvals: ExecApprovalsStore, agentId: string | undefined): EffectivePolicy {
  try {
    return effectivePolicy(approvals.load().file, agentId);
  } catch (cause) {
    if (!(cause instanceof CommandError) || cause.code === "SYSTEM_RUN_DENIED") throw cause;
    throw new CommandError("SYSTEM_RUN_DENIED", `SYSTEM_RUN_DENIED: ${cause.message}`, { cause });
  }
}
