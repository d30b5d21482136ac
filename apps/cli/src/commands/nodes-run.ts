import { safeText } from "@openclaw/app-kit";
import { usageError } from "../errors.ts";
import { invokeOnNode } from "../nodes/invoke-node.ts";
import type { NodeEntry } from "../nodes/node-entry.ts";
import { createRunOutput, type RunResult } from "../nodes/run-output.ts";
import type { CommandContext } from "../program/command-context.ts";

const COMMAND = "system.run";
/** What the node may take beyond the program's own time. */
const SPAWN_GRACE_MS = 5_000;

/** `openclaw nodes run --node <q> -- <command…>`: output as it comes, exit 1 for any other end than 0. */
export async function run(context: CommandContext): Promise<number> {
  const line = readCommandLine(context);
  const env = readEnvironment(context.list("env"));
  const commandTimeoutMs = context.integer("command-timeout");
  const output = createRunOutput(context.io.stdout, context.io.stderr);
  const answer = await invokeOnNode(context, {
    command: COMMAND,
    params: (node) => ({
      command: line.raw === undefined ? line.argv : shellArgv(node, line.raw),
      ...optional("rawCommand", line.raw),
      ...optional("cwd", context.text("cwd")),
      ...optional("env", env),
      ...optional("timeoutMs", commandTimeoutMs),
      ...optional("agentId", context.text("agent")),
      ...(context.flag("needs-screen-recording") ? { needsScreenRecording: true } : {}),
    }),
    scopes: ["operator.write"],
    invokeTimeoutMs: Math.max(
      context.integer("invoke-timeout") ?? 30_000,
      commandTimeoutMs === undefined ? 0 : commandTimeoutMs + SPAWN_GRACE_MS,
    ),
    ...(context.json ? {} : { onProgress: output.progress }),
  });
  // The node's answer; what is missing in it counts as not said.
  const result = (answer.payload ?? {}) as RunResult;
  const exitCode = hasSucceeded(result) ? 0 : 1;
  if (context.json) {
    context.answer(result, () => "");
    return exitCode;
  }
  output.finish(result);
  const end = endOf(result);
  if (end !== undefined) context.say(end);
  return exitCode;
}

function hasSucceeded({ success, exitCode, timedOut }: RunResult): boolean {
  return success ?? (timedOut !== true && exitCode === 0);
}

function endOf(result: RunResult): string | undefined {
  if (result.timedOut === true) return "run timed out";
  if (typeof result.error === "string" && result.error !== "") return safeText(result.error);
  return hasSucceeded(result) ? undefined : `run exit ${result.exitCode ?? "unknown"}`;
}

function readCommandLine(context: CommandContext): { argv: readonly string[]; raw?: string } {
  const argv = context.args[0] === "--" ? context.args.slice(1) : context.args;
  const raw = context.text("raw");
  if (raw !== undefined && argv.length > 0) {
    throw usageError("--raw is a whole command line; it cannot be followed by another.");
  }
  if (raw !== undefined) return { argv, raw };
  if (argv.length === 0) {
    throw usageError(
      "nodes run needs a command.",
      `For example: ${context.commandLine("nodes run --node <name> -- uname -a")}`,
    );
  }
  return { argv };
}

/** The shell that the node's system has. */
function shellArgv(node: NodeEntry, raw: string): string[] {
  const isWindows = /^win/i.test(node.platform ?? "");
  return isWindows ? ["cmd.exe", "/d", "/s", "/c", raw] : ["/bin/sh", "-lc", raw];
}

function readEnvironment(entries: readonly string[]): Record<string, string> | undefined {
  if (entries.length === 0) return undefined;
  return Object.fromEntries(
    entries.map((entry) => {
      const split = entry.indexOf("=");
      if (split < 1) throw usageError(`--env wants name=value, not ${JSON.stringify(entry)}.`);
      return [entry.slice(0, split), entry.slice(split + 1)];
    }),
  );
}

function optional<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}
