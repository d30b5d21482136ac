import { commandSchemas } from "@openclaw/protocol";
import { z } from "zod";
import { defineCommand, type NodeCommand } from "../../define-command.ts";
import { effectivePolicy } from "./exec-policy.ts";
import type { ExecApprovalsStore } from "./exec-approvals-store.ts";

/** `system.execApprovals.get` and `.set`: the exec policy of this host, read and replaced. */
export function execApprovalsCommands(approvals: ExecApprovalsStore): NodeCommand[] {
  return [
    defineCommand({
      name: "system.execApprovals.get",
      params: z.object({}),
      run: () => approvals.snapshot(),
    }),
    defineCommand({
      name: "system.execApprovals.set",
      params: commandSchemas["system.execApprovals.set"].params,
      run({ file, baseHash }) {
        // A value that nobody knows would deny everything later; better to refuse it now.
        for (const agentId of ["*", ...Object.keys(file.agents ?? {})]) {
          effectivePolicy(file, agentId);
        }
        return approvals.replace(file, baseHash);
      },
    }),
  ];
}
