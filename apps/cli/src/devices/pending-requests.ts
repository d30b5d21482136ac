import { CliError } from "../errors.ts";
import type { GatewaySession } from "../gateway/session.ts";
import type { NodePairList, NodeRequest } from "../nodes/node-entry.ts";
import { type DevicePairList, type DeviceRequest, rolesOf } from "./device-entry.ts";

/** A request of either kind; both are answered in one place, so that one decision is enough. */
export type PendingRequest =
  | { readonly kind: "device"; readonly request: DeviceRequest }
  | { readonly kind: "node"; readonly request: NodeRequest };

const PAIRING = "operator.pairing";

/** Every request there is, oldest first. */
export async function fetchPendingRequests(session: GatewaySession): Promise<PendingRequest[]> {
  const [devices, nodes] = await Promise.all([
    session.request<Partial<DevicePairList>>("device.pair.list", {}),
    // Not every Gateway has the second list, and then there is nothing in it.
    session
      .request<Partial<NodePairList>>("node.pair.list", {})
      .catch((): Partial<NodePairList> => ({})),
  ]);
  const found: PendingRequest[] = (devices.pending ?? []).map((request) => ({
    kind: "device",
    request,
  }));
  const known = new Set(found.map(({ request }) => request.requestId));
  for (const request of nodes.pending ?? []) {
    if (!known.has(request.requestId)) found.push({ kind: "node", request });
  }
  return found.toSorted((a, b) => (a.request.ts ?? 0) - (b.request.ts ?? 0));
}

/** What an approver has to hold; anything less is refused by one Gateway or another. */
export function scopesToApprove(pending: PendingRequest): readonly string[] {
  if (pending.kind === "node") {
    return [...new Set([PAIRING, ...(pending.request.requiredApproveScopes ?? [])])];
  }
  const isOperatorOnly = rolesOf(pending.request).every((role) => role === "operator");
  if (!isOperatorOnly) return [PAIRING, "operator.admin"];
  return [...new Set([PAIRING, ...(pending.request.scopes ?? [])])];
}

export function deviceIdOf(pending: PendingRequest): string {
  return pending.kind === "device" ? pending.request.deviceId : pending.request.nodeId;
}

/** @throws {CliError} `cli_error` */
export function noRequest(): CliError {
  return new CliError("cli_error", "no device asks for pairing", {
    fields: { kind: "not_found" },
    hints: ["A request lives for 5 minutes; the device asks again by itself."],
  });
}
