import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CommandError,
  systemCommands,
  type CommandContext,
  type NodeCommand,
  type SystemHost,
} from "@openclaw/node-core";
import { onTestFinished } from "vitest";

/** A folder that goes away with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "node-core-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface CommandBench {
  directory: string;
  execApprovalsPath: string;
  progress: string[];
  events: { event: string; payload: Record<string, unknown> }[];
  /** Aborting it is what a cancel or a deadline does. */
  controller: AbortController;
  /** Runs a system command as the node does; rejects with a {@link CommandError}. */
  call(name: string, params?: unknown): Promise<Record<string, unknown>>;
}

/** The system commands in a folder of their own, without a Gateway. */
export function commandBench(host: Partial<SystemHost> = {}): CommandBench {
  const directory = temporaryDirectory();
  const execApprovalsPath = join(directory, "state", "exec-approvals.json");
  const commands = new Map<string, NodeCommand>(
    systemCommands({
      execApprovalsPath,
      host: { cwd: directory, homedir: directory, ...host },
      killGraceMs: 300,
    }).map((command) => [command.name, command]),
  );
  const bench: CommandBench = {
    directory,
    execApprovalsPath,
    progress: [],
    events: [],
    controller: new AbortController(),
    async call(name, params) {
      const call = commands.get(name)?.prepare(params);
      if (call === undefined) throw new CommandError("UNAVAILABLE", "command not supported");
      if (!call.ok) throw call.error;
      const context: CommandContext = {
        signal: bench.controller.signal,
        progress: (chunk) => bench.progress.push(chunk) > 0,
        input: { async *[Symbol.asyncIterator]() {} },
        emit: (event, payload) =>
          void bench.events.push({ event, payload: payload as Record<string, unknown> }),
        deadlineAtMs: 0,
        invokeId: "i-1",
        idempotencyKey: "k-1",
      };
      return (await call.run(context)) as Record<string, unknown>;
    },
  };
  return bench;
}
