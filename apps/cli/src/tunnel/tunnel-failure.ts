import { isObject } from "@openclaw/app-kit";
import { CliError } from "../errors.ts";
import { readWayFailure, type WayFailure } from "../gateway/ssh-way.ts";
import type { CommandContext } from "../program/command-context.ts";
import { readRecords } from "./record-files.ts";

/** `EX_CONFIG`: a supervisor that starts the tunnel again gets the same answer. */
const EXIT_FINAL = 78;
/** Final for this run; but whoever has the port may go away. */
const WORTH_ANOTHER_START: ReadonlySet<string> = new Set(["LOCAL_PORT_BUSY", "CLOSED"]);

/** What a tunnel reports, for the user; any other error as it is. */
export async function explainTunnelFailure(
  error: unknown,
  target: string,
  context: CommandContext,
): Promise<unknown> {
  const failure = readWayFailure(error);
  if (failure === undefined) return error;
  const { code, message, hint, final, details } = failure;
  return new CliError("tunnel_error", message, {
    exitCode: exitCodeOf(failure),
    hints: [...(hint === undefined ? [] : [hint]), ...(await holderHints(failure, context))],
    fields: { code, final, ...(Object.keys(details).length > 0 ? { details } : {}) },
    siblings: { tunnel: { target } },
    cause: error,
  });
}

export function exitCodeOf({ code, final }: Pick<WayFailure, "code" | "final">): number {
  return final && !WORTH_ANOTHER_START.has(code) ? EXIT_FINAL : 1;
}

/** Another tunnel of ours has the port: which one, and how to be rid of it. */
async function holderHints({ details }: WayFailure, context: CommandContext): Promise<string[]> {
  const holder = details["holder"];
  const pid = isObject(holder) ? holder["pid"] : undefined;
  if (typeof pid !== "number") return [];
  const { running } = await readRecords(context.paths.stateDir);
  const record = running.find((one) => one.pid === pid && one.forwards.length > 0);
  if (record === undefined) return [];
  return [
    `It is the tunnel ${record.name}, to ${record.target}: ${context.commandLine(`tunnel status ${record.name}`)}`,
  ];
}
