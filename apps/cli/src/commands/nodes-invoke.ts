import { safeText } from "@openclaw/app-kit";
import { CliError, usageError } from "../errors.ts";
import { withGateway, type GatewaySession } from "../gateway/session.ts";
import { invokeOnNode, parseProgress, STATUS_METHOD } from "../nodes/invoke-node.ts";
import { renderFields } from "../output/table.ts";
import { shortId } from "../output/text.ts";
import { ago } from "../output/time.ts";
import type { CommandContext } from "../program/command-context.ts";
import { parseJsonOption } from "../program/json-option.ts";

const ADMIN_COMMANDS = new Set([
  "browser.proxy",
  "browser.proxy.upload.v1",
  "fs.listDir",
  "terminal.upload",
]);

/** `openclaw nodes invoke`: the result, or with `--status` what became of an earlier one. */
export async function run(context: CommandContext): Promise<number> {
  const key = context.text("status");
  if (key !== undefined) return showStatus(context, key);
  const command = context.text("command")?.trim() ?? "";
  if (command === "") throw usageError("nodes invoke needs --command, or --status with a key.");
  if (context.text("node") === undefined) throw usageError("nodes invoke needs --node.");
  const params = parseJsonOption("params", context.text("params") ?? "{}");

  // Someone who looks on sees that it moves; a script wants none of it.
  const isWatched = context.io.stderr.isTTY === true && !context.json;
  const answer = await invokeOnNode(context, {
    command,
    params: () => params,
    scopes: [ADMIN_COMMANDS.has(command) ? "operator.admin" : "operator.write"],
    invokeTimeoutMs: context.integer("invoke-timeout") ?? 15_000,
    ...(isWatched
      ? { onProgress: (chunk: string) => void context.io.stderr.write(parseProgress(chunk).text) }
      : {}),
  });
  context.answer(answer, () => JSON.stringify(answer, undefined, 2));
  return 0;
}

/** What `node.invoke.status` answers. */
interface InvokeStatus {
  idempotencyKey: string;
  stage: string;
  recorded: boolean;
  nodeId?: string;
  command?: string;
  createdAtMs?: number;
  updatedAtMs?: number;
  nodeConnected?: boolean;
  ok?: boolean;
  payload?: unknown;
  payloadJSON?: string | null;
  error?: { code?: string; message?: string };
}

async function showStatus(context: CommandContext, idempotencyKey: string): Promise<number> {
  await withGateway(context, { scopes: ["operator.write"] }, async (session) => {
    requireStatus(session);
    const status = await session.request<InvokeStatus>(STATUS_METHOD, { idempotencyKey });
    context.answer(status, () => statusText(context, status));
  });
  return 0;
}

function requireStatus(session: GatewaySession): void {
  if (session.serves(STATUS_METHOD)) return;
  throw new CliError("cli_error", "this Gateway keeps no record of invocations", {
    fields: { kind: "unsupported", method: STATUS_METHOD },
  });
}

const STAGES: Readonly<Record<string, string>> = {
  "not-sent": "it never reached the node",
  queued: "it waits to be handed to the node",
  running: "the node has it",
  finished: "the node has answered",
  interrupted: "the node had begun when its process died; it will not run again",
};

function statusText(context: CommandContext, status: InvokeStatus): string {
  const nowMs = Date.now();
  const { stage, recorded, error } = status;
  const meaning = recorded
    ? STAGES[stage]
    : "nothing is known of this key: it never reached this Gateway, or is forgotten";
  const result = status.payload ?? status.payloadJSON;
  return [
    renderFields(
      [
        ["Key", safeText(status.idempotencyKey)],
        [
          "Stage",
          `${context.style.bold(safeText(stage))}${meaning === undefined ? "" : `: ${meaning}`}`,
        ],
        ["Node", shortId(status.nodeId)],
        [
          "Connected",
          status.nodeConnected === undefined ? undefined : status.nodeConnected ? "yes" : "no",
        ],
        ["Command", safeText(status.command)],
        ["Asked", ago(status.createdAtMs, nowMs)],
        ["Changed", ago(status.updatedAtMs, nowMs)],
        [
          "Error",
          error === undefined
            ? undefined
            : context.style.bad(`${safeText(error.code)}: ${safeText(error.message)}`),
        ],
      ],
      context.style,
    ),
    ...(result === undefined || result === null
      ? []
      : [`${JSON.stringify(result, undefined, 2)}\n`]),
  ].join("");
}
