import { RawJson, type ErrorShape, methodSchemas } from "@openclaw/protocol";
import { type RequestError, invalidRequest, unavailable } from "../errors.ts";
import type { GatewayContext } from "../gateway-context.ts";
import { explainRefusal } from "../nodes/command-policy.ts";
import {
  type Outcome,
  failureOf,
  outcomeOfFailure,
  outcomeOfPayload,
  outcomeOfText,
  payloadMembers,
} from "../nodes/invocation.ts";
import { type InvokeRequest, type InvokeStatus, type NodeRoute } from "../nodes/invoke-broker.ts";
import { remoteFailure } from "../nodes/invoke-errors.ts";
import { missingScopeError } from "../pairing/pairing-service.ts";
import { type GatewayCaller, defineGatewayMethod } from "./gateway-method.ts";
import { nodeConnection } from "./node-methods.ts";

/** Commands that reach the whole host; writing is not right enough. */
const ADMIN_COMMANDS = new Set([
  "browser.proxy",
  "browser.proxy.upload.v1",
  "fs.listDir",
  "terminal.upload",
]);

/** The round trip to a node, and what can be asked about it. */
export const invokeMethods = [
  defineGatewayMethod({
    name: "node.invoke",
    access: "operator.write",
    ...methodSchemas["node.invoke"],
    summary: "Runs a command on a node, at most once for each idempotency key.",
    handler: async (params, { caller, gateway }) => {
      const { nodeId, command } = params;
      if (command.startsWith("system.execApprovals.")) {
        throw invalidRequest(
          "node.invoke does not allow system.execApprovals.*; use exec.approvals.node.*",
          { command },
        );
      }
      if (ADMIN_COMMANDS.has(command)) requireAdmin(caller);
      const outcome = await gateway.broker.invoke(
        {
          key: params.idempotencyKey,
          nodeId,
          command,
          paramsJSON: params.params === undefined ? undefined : JSON.stringify(params.params),
          timeoutMs: params.timeoutMs,
          sessionKey: params.sessionKey,
          caller: caller.connection,
        },
        () => routeTo(gateway, nodeId, command),
      );
      const failure = failureOf(outcome);
      if (failure) throw remoteFailure(failure);
      return invokeAnswer(nodeId, command, outcome);
    },
  }),
  defineGatewayMethod({
    name: "node.invoke.result",
    access: "node",
    ...methodSchemas["node.invoke.result"],
    summary: "A node's answer to node.invoke.request.",
    unhurried: true,
    handler: (params, { caller, gateway }) => {
      const from = nodeConnection(caller.connection);
      if (params.nodeId !== from.identity.deviceId) throw invalidRequest("nodeId mismatch");
      return new Promise((resolve, reject) => {
        const known = gateway.broker.result(from, params.id, outcomeOf(params), (error) =>
          // Not acknowledged until it is durable here: the node keeps it and says it again.
          error
            ? reject(unavailable("result could not be recorded", { retryable: true }))
            : resolve(RESULT_TAKEN),
        );
        if (!known) resolve(RESULT_IGNORED);
      });
    },
  }),
  defineGatewayMethod({
    name: "node.invoke.progress",
    access: "node",
    ...methodSchemas["node.invoke.progress"],
    summary: "A piece of output of an invocation that is still running.",
    unhurried: true,
    handler: ({ invokeId, nodeId, seq, chunk }, { caller, gateway }) => {
      const from = nodeConnection(caller.connection);
      if (nodeId !== from.identity.deviceId) throw invalidRequest("nodeId mismatch");
      return gateway.broker.progress(from, invokeId, seq, chunk) ? RESULT_TAKEN : RESULT_IGNORED;
    },
  }),
  defineGatewayMethod({
    name: "node.invoke.sync",
    access: "node",
    ...methodSchemas["node.invoke.sync"],
    summary:
      "What earlier connections of this node left open, so that it can say what became of it.",
    handler: ({ durable }, { caller, gateway }) => {
      const from = nodeConnection(caller.connection);
      if (from.node) from.node.recordsDurably = durable === true;
      return { open: gateway.broker.sync(from) };
    },
  }),
  defineGatewayMethod({
    name: "node.invoke.status",
    access: "operator.write",
    ...methodSchemas["node.invoke.status"],
    summary: "How far an invocation has come, and its result once it has one.",
    handler: ({ idempotencyKey }, { gateway }) =>
      statusAnswer(idempotencyKey, gateway.broker.status(idempotencyKey), gateway),
  }),
  defineGatewayMethod({
    name: "node.invoke.cancel",
    access: "operator.write",
    ...methodSchemas["node.invoke.cancel"],
    summary: "Asks the node to stop an invocation.",
    handler: ({ idempotencyKey }, { gateway }) => ({
      ok: true,
      ...gateway.broker.cancel(idempotencyKey),
    }),
  }),
  defineGatewayMethod({
    name: "node.invoke.input",
    access: "operator.write",
    ...methodSchemas["node.invoke.input"],
    summary: "Hands a running invocation a piece of input.",
    handler: ({ idempotencyKey, payloadJSON }, { gateway }) => {
      gateway.broker.input(idempotencyKey, payloadJSON);
      return { ok: true };
    },
  }),
];

const RESULT_TAKEN = new RawJson('{"ok":true}');
const RESULT_IGNORED = new RawJson('{"ok":true,"ignored":true}');

/**
 * Invokes on behalf of the Gateway itself: the caller has checked the rights. Rejects as
 * `node.invoke` does; resolves with the node's payload.
 */
export async function invokeForGateway(
  gateway: GatewayContext,
  request: InvokeRequest,
): Promise<RawJson> {
  const outcome = await gateway.broker.invoke(request, () =>
    routeTo(gateway, request.nodeId, request.command),
  );
  const failure = failureOf(outcome);
  if (failure) throw remoteFailure(failure);
  return new RawJson(payloadMembers(outcome).payload ?? "null");
}

/** The connection of a node that may be asked for this command now, or why there is none. */
function routeTo(gateway: GatewayContext, nodeId: string, command: string): NodeRoute {
  const found = gateway.connections.node(nodeId);
  // One that is being closed hears nothing any more.
  const connection = found?.isOpen ? found : undefined;
  const link = connection?.node;
  if (connection && link?.allowed.has(command)) {
    if (!connection.isSlow) return { ok: true, connection };
    return refuse(
      unavailable("node does not keep up with what it is sent", {
        retryable: true,
        details: { code: "NODE_BACKPRESSURE", nodeCommandDispatched: false },
      }),
    );
  }
  const record = gateway.devices.get(nodeId);
  if (!record?.roles["node"] || (record.nodeSurface === undefined && link)) {
    return refuse(
      unavailable("node pairing changed while invocation was active", {
        retryable: true,
        details: { code: "PAIRING_CHANGED", nodeCommandDispatched: false },
      }),
    );
  }
  if (!connection || !link) {
    const nodeError = { code: "NOT_CONNECTED", message: "node not connected" };
    return refuse(
      unavailable("node not connected", {
        details: { code: "NOT_CONNECTED", nodeError, nodeCommandDispatched: false },
      }),
    );
  }
  const refusal = explainRefusal(
    gateway.policy,
    { platform: link.platform, declared: link.offered },
    command,
  );
  return refuse(invalidRequest(refusal.message, refusal.details));
}

const refuse = (error: RequestError): NodeRoute => ({ ok: false, error });

function requireAdmin(caller: GatewayCaller): void {
  if (!caller.scopes.includes("operator.admin"))
    throw missingScopeError("operator.admin", ["operator.admin"]);
}

function outcomeOf(params: {
  ok: boolean;
  payload?: unknown;
  payloadJSON?: string | null | undefined;
  error?: { code?: string | undefined; message?: string | undefined } | null | undefined;
}): Outcome {
  if (!params.ok) return outcomeOfFailure(params.error ?? {});
  if (typeof params.payloadJSON === "string") return outcomeOfText(params.payloadJSON);
  return outcomeOfPayload(params.payload);
}

function invokeAnswer(nodeId: string, command: string, outcome: Outcome): RawJson {
  const { payload, payloadJSON } = payloadMembers(outcome);
  const head = `{"ok":true,"nodeId":${JSON.stringify(nodeId)},"command":${JSON.stringify(command)}`;
  const body = payload === undefined ? "" : `,"payload":${payload}`;
  return new RawJson(`${head}${body},"payloadJSON":${payloadJSON}}`);
}

function statusAnswer(
  idempotencyKey: string,
  { outcome, ...status }: InvokeStatus,
  gateway: GatewayContext,
): RawJson {
  const { nodeId } = status;
  const answer: Record<string, unknown> = { idempotencyKey, ...status };
  if (nodeId !== undefined)
    answer["nodeConnected"] = gateway.connections.node(nodeId) !== undefined;
  if (outcome === undefined) return new RawJson(JSON.stringify(answer));
  const failure = failureOf(outcome);
  answer["ok"] = failure === undefined;
  if (failure) {
    const error: ErrorShape = remoteFailure(failure).toShape();
    return new RawJson(JSON.stringify({ ...answer, error }));
  }
  const { payload, payloadJSON } = payloadMembers(outcome);
  const body = payload === undefined ? "" : `,"payload":${payload}`;
  return new RawJson(`${JSON.stringify(answer).slice(0, -1)}${body},"payloadJSON":${payloadJSON}}`);
}
