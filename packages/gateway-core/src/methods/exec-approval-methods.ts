import { randomUUID } from "node:crypto";
import { methodSchemas } from "@openclaw/protocol";
import type { GatewayContext } from "../gateway-context.ts";
import { defineGatewayMethod } from "./gateway-method.ts";
import { invokeForGateway } from "./invoke-methods.ts";

/** The policy by which a node decides which programs it runs; it is kept and enforced there. */
export const execApprovalMethods = [
  defineGatewayMethod({
    name: "exec.approvals.node.get",
    access: "operator.admin",
    ...methodSchemas["exec.approvals.node.get"],
    summary: "A node's exec policy.",
    handler: ({ nodeId }, { gateway }) => ask(gateway, nodeId, "system.execApprovals.get", {}),
  }),
  defineGatewayMethod({
    name: "exec.approvals.node.set",
    access: "operator.admin",
    ...methodSchemas["exec.approvals.node.set"],
    summary: "Replaces a node's exec policy; baseHash guards against a change in between.",
    handler: ({ nodeId, ...params }, { gateway }) =>
      ask(gateway, nodeId, "system.execApprovals.set", params),
  }),
];

function ask(
  gateway: GatewayContext,
  nodeId: string,
  command: string,
  params: object,
): Promise<unknown> {
  return invokeForGateway(gateway, {
    key: randomUUID(),
    nodeId,
    command,
    paramsJSON: JSON.stringify(params),
    timeoutMs: undefined,
    sessionKey: undefined,
    caller: undefined,
  });
}
