import { randomUUID } from "node:crypto";
import {
  resolveInvokeTimeoutMs,
  commandSchemas,
  type SystemRunParams,
  type SystemRunResult,
} from "@openclaw/protocol";
import { defineCommand, type CommandContext, type NodeCommand } from "../../define-command.ts";
import { CommandError } from "../../errors.ts";
import type { ExecApprovalsStore } from "../policy/exec-approvals-store.ts";
import type { SystemHost } from "../system-host.ts";
import { createLiveOutput } from "./live-output.ts";
import { quoteArgv } from "./quote-argv.ts";
import { runProcess, type RunResult } from "./run-process.ts";
import {
  assertTargetMayRun,
  resolveRunTarget,
  startProblem,
  type RunTarget,
} from "./run-target.ts";

/** Characters of output that `exec.finished` tells the session. */
const EVENT_OUTPUT_CHARS = 20_000;

/** Exit code of a command that ran out of time, as `timeout(1)` has it. */
const TIMEOUT_EXIT_CODE = 124;

/** Newer peers send more members, none of which could grant anything here. */
const runParamsSchema = commandSchemas["system.run"].params.strip();

/** `system.run`: executes an argv, never through a shell, under the policy of this host. */
export function systemRunCommand(
  host: SystemHost,
  approvals: ExecApprovalsStore,
  killGraceMs: number,
): NodeCommand {
  return defineCommand({
    name: "system.run",
    params: runParamsSchema,
    // The Gateway makes a new one for each request.
    volatileParams: ["runId"],
    run: (params, context) => run(params, context, host, approvals, killGraceMs),
  });
}

async function run(
  params: SystemRunParams,
  context: CommandContext,
  host: SystemHost,
  approvals: ExecApprovalsStore,
  killGraceMs: number,
): Promise<SystemRunResult> {
  const report = reporter(params, context);
  let target: RunTarget;
  try {
    assertPlanMatches(params);
    if (params.needsScreenRecording === true) {
      throw new CommandError("UNAVAILABLE", "PERMISSION_MISSING: screenRecording");
    }
    target = resolveRunTarget(
      {
        command: params.command,
        cwd: params.cwd ?? undefined,
        env: params.env ?? {},
        agentId: params.agentId ?? undefined,
      },
      host,
      approvals,
    );
    assertTargetMayRun(target, host);
  } catch (error) {
    report.denied(error instanceof Error ? error.message : String(error));
    throw error;
  }
  const problem = startProblem(target);
  const result = toPayload(
    problem === undefined
      ? await execute(target, params, context, killGraceMs)
      : failedStart(problem),
    context,
  );
  report.finished(result);
  return result;
}

async function execute(
  target: RunTarget,
  params: SystemRunParams,
  context: CommandContext,
  killGraceMs: number,
): Promise<RunResult> {
  const live = createLiveOutput((chunk) => context.progress(chunk));
  // 0 and absent: only the deadline of the invocation.
  const timeoutMs = params.timeoutMs ? resolveInvokeTimeoutMs(params.timeoutMs) : 0;
  const result = await runProcess({
    file: target.executable ?? "",
    argv: target.argv,
    cwd: target.cwd,
    env: target.env,
    timeoutMs,
    signal: context.signal,
    killGraceMs,
    onOutput: (stream, text) => live.add(stream, text),
  });
  live.end();
  return result;
}

/** A deadline is an answer, with the output so far; a cancelled command has none. */
function toPayload(result: RunResult, { signal }: CommandContext): SystemRunResult {
  const { exitCode, stdout, stderr, startError, stoppedBy } = result;
  const reason: unknown = signal.reason;
  const isDeadline = reason instanceof CommandError && reason.code === "TIMEOUT";
  if (stoppedBy === "signal" && !isDeadline) throw reason;
  const timedOut = stoppedBy !== undefined;
  return {
    exitCode: timedOut ? TIMEOUT_EXIT_CODE : exitCode,
    timedOut,
    success: exitCode === 0 && !timedOut,
    stdout,
    stderr,
    error: startError?.message ?? (result.signal === null ? null : `ended by ${result.signal}`),
  };
}

function failedStart(problem: string): RunResult {
  return {
    exitCode: null,
    signal: null,
    stoppedBy: undefined,
    stdout: "",
    stderr: "",
    startError: new Error(problem),
  };
}

/** A plan that was shown to somebody must be what runs. */
function assertPlanMatches({ command, cwd, systemRunPlan: plan }: SystemRunParams): void {
  if (typeof plan !== "object" || plan === null) return;
  const { argv, cwd: plannedCwd } = plan as { argv?: unknown; cwd?: unknown };
  const isSameArgv =
    Array.isArray(argv) &&
    argv.length === command.length &&
    argv.every((argument, index) => argument === command[index]);
  const isSameCwd = typeof plannedCwd !== "string" || cwd == null || plannedCwd === cwd;
  if (isSameArgv && isSameCwd) return;
  throw new CommandError("INVALID_REQUEST", "systemRunPlan does not match command and cwd");
}

/** Tells the caller's session what became of the command, before the caller gets the result. */
function reporter(
  params: SystemRunParams,
  { emit }: CommandContext,
): { denied(reason: string): void; finished(result: SystemRunResult): void } {
  const about = {
    sessionKey: params.sessionKey || "node",
    runId: params.runId || randomUUID(),
    host: "node",
    command: quoteArgv(params.command),
    ...(params.suppressNotifyOnExit === true && { suppressNotifyOnExit: true }),
  };
  return {
    denied: (reason) => emit("exec.denied", { ...about, reason }),
    finished({ exitCode, timedOut, success, stdout, stderr }) {
      const output = [stdout, stderr].filter((text) => text !== "").join("\n");
      emit("exec.finished", {
        ...about,
        ...(exitCode !== null && { exitCode }),
        timedOut,
        success,
        output: output.slice(-EVENT_OUTPUT_CHARS),
      });
    },
  };
}
