import { commandSchemas, type SystemRunPrepareResult } from "@openclaw/protocol";
import { defineCommand, type NodeCommand } from "../../define-command.ts";
import type { ExecApprovalsStore } from "../policy/exec-approvals-store.ts";
import type { SystemHost } from "../system-host.ts";
import { quoteArgv } from "./quote-argv.ts";
import { resolveRunTarget } from "./run-target.ts";

/** `system.run.prepare`: what `system.run` would execute, and under which policy. Runs nothing. */
export function systemRunPrepareCommand(
  host: SystemHost,
  approvals: ExecApprovalsStore,
): NodeCommand {
  return defineCommand({
    name: "system.run.prepare",
    params: commandSchemas["system.run.prepare"].params.strip(),
    run({ command, cwd, agentId, sessionKey }): SystemRunPrepareResult {
      const target = resolveRunTarget(
        { command, cwd: cwd ?? undefined, env: {}, agentId: agentId ?? undefined },
        host,
        approvals,
      );
      const { security, ask } = target.policy;
      return {
        plan: {
          argv: [...command],
          cwd: target.cwd,
          commandText: quoteArgv(command),
          commandPreview: null,
          agentId: agentId ?? null,
          sessionKey: sessionKey ?? null,
          mutableFileOperand: null,
          policySnapshot: { security, ask },
        },
        execPolicy: { security, ask },
        allowAlwaysCoverage: null,
      };
    },
  });
}
