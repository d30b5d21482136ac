import type { NodeCommand } from "../define-command.ts";
import { systemNotifyCommand } from "./notify/system-notify.ts";
import { execApprovalsCommands } from "./policy/exec-approvals-commands.ts";
import { createExecApprovalsStore } from "./policy/exec-approvals-store.ts";
import { DEFAULT_KILL_GRACE_MS } from "./run/process-tree.ts";
import { systemRunCommand } from "./run/system-run.ts";
import { systemRunPrepareCommand } from "./run/system-run-prepare.ts";
import { thisHost, type SystemHost } from "./system-host.ts";
import { systemWhichCommand } from "./system-which.ts";

/** Options of {@link systemCommands}. */
export interface SystemCommandsOptions {
  /**
   * The file that says what may run, commonly `<state>/exec-approvals.json`; created with mode 0600
   * by the first `system.execApprovals.set`. Without it everything may run.
   */
  execApprovalsPath: string;
  /** Parts of the machine to see differently. @default this process and its machine */
  host?: Partial<SystemHost>;
  /** Time between SIGTERM and SIGKILL when a command is stopped. @default 2_000 */
  killGraceMs?: number;
}

/**
 * The commands of a desktop or server: `system.run`, `system.run.prepare`, `system.which`,
 * `system.notify`, `system.execApprovals.get` and `.set`.
 */
export function systemCommands(options: SystemCommandsOptions): NodeCommand[] {
  const host = { ...thisHost(), ...options.host };
  const approvals = createExecApprovalsStore(options.execApprovalsPath);
  return [
    systemRunCommand(host, approvals, options.killGraceMs ?? DEFAULT_KILL_GRACE_MS),
    systemRunPrepareCommand(host, approvals),
    systemWhichCommand(host),
    systemNotifyCommand(host),
    ...execApprovalsCommands(approvals),
  ];
}
