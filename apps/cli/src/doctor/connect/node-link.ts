import { randomUUID } from "node:crypto";
import { isObject, safeText } from "@openclaw/app-kit";
import { type GatewayClient, RemoteError } from "@openclaw/client";
import type { NodeEntry, NodeListPayload } from "../../nodes/node-entry.ts";
import { lastThereAtMs } from "../../nodes/node-entry.ts";
import { nameOf, resolveNode } from "../../nodes/resolve-node.ts";
import { CliError } from "../../errors.ts";
import type { StepFailure, Taken } from "../../remote/walk.ts";
import { fault } from "./faults.ts";
import { missingScope } from "./scope-fault.ts";
import type { Trail } from "./trail.ts";

const ASK_SHARE_MS = 1_000;

/** Whether the node is known and connected. @throws {StepFailure} of `node` */
export async function findNode(
  trail: Trail,
  client: GatewayClient,
  query: string,
): Promise<Taken<NodeEntry>> {
  const { context, budget } = trail;
  const nodes = await listNodes(trail, client, budget.step(ASK_SHARE_MS));
  const node = pick(trail, nodes, query);
  if (node.connected === true) return { value: node, detail: nameOf(node) };
  const seenAtMs = lastThereAtMs(node, Date.now());
  const lastSeen = seenAtMs === undefined ? "never" : formatTime(seenAtMs);
  throw fault("NODE_OFFLINE", `${nameOf(node)} is not connected to the Gateway.`, {
    at: "node",
    evidence: { nodeId: safeText(node.nodeId), lastSeen },
    fix: "openclaw node status",
    hint: `On that machine; openclaw node run starts it. Here: ${context.commandLine("nodes status")}`,
  });
}

async function listNodes(
  trail: Trail,
  client: GatewayClient,
  timeoutMs: number,
): Promise<readonly NodeEntry[]> {
  try {
    const { nodes } = await client.request<Partial<NodeListPayload>>(
      "node.list",
      {},
      { timeoutMs },
    );
    // What answers may be anything that speaks the protocol.
    return Array.isArray(nodes) ? nodes.filter(({ nodeId }) => typeof nodeId === "string") : [];
  } catch (error) {
    throw callFault(trail, error, "node");
  }
}

function formatTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "unknown" : date.toISOString();
}

function pick(trail: Trail, nodes: readonly NodeEntry[], query: string): NodeEntry {
  try {
    return resolveNode(query, nodes);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const isAmbiguous = error.message.startsWith("ambiguous");
    throw fault(isAmbiguous ? "NODE_AMBIGUOUS" : "NODE_UNKNOWN", `${error.message}.`, {
      at: "node",
      evidence: { known: nodes.map((node) => nameOf(node)) },
      fix: isAmbiguous
        ? trail.context.commandLine("nodes list")
        : "openclaw node run --host <gateway>",
      hint: isAmbiguous
        ? "Name it by its id."
        : `That, on the machine that is to be the node, makes it known; ${trail.context.commandLine("nodes list")} shows those that are.`,
    });
  }
}

/**
 * Whether a node may be asked for a command. The command does not run: the Gateway is asked for its
 * reason only when the command is not among those that the node may be asked for.
 *
 * @throws {StepFailure} of `command`
 */
export async function checkCommand(
  trail: Trail,
  client: GatewayClient,
  { node, command }: { node: NodeEntry; command: string },
): Promise<Taken<undefined>> {
  const commands = Array.isArray(node.commands) ? node.commands : [];
  if (commands.includes(command)) return { value: undefined, detail: command };
  const { context } = trail;
  const evidence = {
    nodeId: safeText(node.nodeId),
    platform: safeText(node.platform),
    commands: commands.map(safeText),
    approvalState: safeText(node.approvalState),
  };
  const reason = await askForReason(trail, client, { node, command });
  const name = safeText(command);
  switch (reason.reason) {
    case "command not declared by node":
    case "node did not declare commands":
      throw fault("COMMAND_NOT_DECLARED", `${nameOf(node)} does not offer ${name}.`, {
        at: "command",
        evidence: { ...evidence, reason: reason.reason },
        fix: context.commandLine(`nodes describe --node ${node.nodeId}`),
        hint: "It shows what the node offers. What it offers is its program's and its settings' matter.",
      });
    case "command not allowlisted":
      throw fault(
        "COMMAND_NOT_ALLOWED",
        `${nameOf(node)} offers ${name}, and the Gateway's policy for ${evidence.platform} does not allow it.`,
        {
          at: "command",
          evidence: { ...evidence, reason: reason.reason },
          fix: `openclaw config set gateway.nodes.commands.allow '["${name}"]'`,
          hint: "On the Gateway's machine, beside what stands there already; gateway.nodes.commands.deny goes before it.",
        },
      );
    case "command not approved":
      throw fault(
        "COMMAND_NOT_APPROVED",
        `${nameOf(node)} offers ${name}, and no operator has approved that yet.`,
        {
          at: "command",
          evidence: { ...evidence, reason: reason.reason, requestId: node.pendingRequestId },
          fix: context.commandLine(
            node.pendingRequestId === undefined
              ? "nodes pending"
              : `nodes approve ${safeText(node.pendingRequestId)}`,
          ),
        },
      );
    default:
      throw fault("COMMAND_REFUSED", `the Gateway refuses ${name}: ${reason.message}`, {
        at: "command",
        evidence: { ...evidence, reason: reason.reason },
        fix: context.commandLine(`nodes describe --node ${node.nodeId}`),
      });
  }
}

/** The Gateway's own reason. Nothing runs: it was found not to be allowed a moment ago. */
async function askForReason(
  trail: Trail,
  client: GatewayClient,
  { node, command }: { node: NodeEntry; command: string },
): Promise<{ reason: string; message: string }> {
  const timeoutMs = trail.budget.step(ASK_SHARE_MS);
  const params = { nodeId: node.nodeId, command, timeoutMs, idempotencyKey: randomUUID() };
  try {
    await client.request("node.invoke", params, { timeoutMs });
    return { reason: "", message: "it has been allowed meanwhile" };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw callFault(trail, error, "command");
    if (error.code === "FORBIDDEN") throw callFault(trail, error, "command");
    const details = isObject(error.details) ? error.details : {};
    return { reason: safeText(details["reason"]), message: safeText(error.message) };
  }
}

function callFault(trail: Trail, error: unknown, at: "node" | "command"): StepFailure {
  const details = error instanceof RemoteError && isObject(error.details) ? error.details : {};
  if (details["code"] === "MISSING_SCOPE") {
    return missingScope(trail.context, {
      missing: [safeText(details["missingScope"])],
      granted: [],
    });
  }
  const message = error instanceof Error ? safeText(error.message) : "no answer";
  return fault("NODE_LIST_FAILED", `the Gateway does not answer about its nodes: ${message}`, {
    at,
    fix: trail.context.commandLine("nodes list"),
    cause: error,
  });
}
