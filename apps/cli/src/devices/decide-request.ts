import type { GatewaySession } from "../gateway/session.ts";
import { withGateway } from "../gateway/session.ts";
import { matchId } from "../nodes/match-id.ts";
import type { CommandContext } from "../program/command-context.ts";
import {
  fetchPendingRequests,
  noRequest,
  type PendingRequest,
  scopesToApprove,
} from "./pending-requests.ts";

export interface Decision {
  readonly pending: PendingRequest;
  /** What the Gateway answered. */
  readonly result: unknown;
  /** The Gateway approves a node's commands with its device. */
  readonly isOneStep: boolean;
}

/** Chooses the request that was meant; `undefined` means the only one. */
export type ChooseRequest = (requests: readonly PendingRequest[]) => PendingRequest;

/** By id or the first characters of it, whichever kind it is. */
export function requestWithId(id: string): ChooseRequest {
  return (requests) => {
    if (requests.length === 0) throw noRequest();
    return matchId("request", id, requests, ({ request }) => request.requestId);
  };
}

/** Approves a request with the scopes that this one needs. */
export async function approve(context: CommandContext, choose: ChooseRequest): Promise<Decision> {
  const pairing = ["operator.pairing"];
  const first = await withGateway(context, { scopes: pairing }, async (session) => {
    const pending = choose(await fetchPendingRequests(session));
    const scopes = scopesToApprove(pending);
    // Nothing more is needed, so the connection that is open will do.
    if (scopes.length === pairing.length)
      return { pending, decision: await send(session, "approve", pending) };
    return { pending, scopes, gateway: session.gateway };
  });
  if ("decision" in first) return first.decision;
  const { pending, scopes, gateway } = first;
  return withGateway(context, { scopes, gateway }, (session) => send(session, "approve", pending));
}

export function reject(context: CommandContext, choose: ChooseRequest): Promise<Decision> {
  return withGateway(context, { scopes: ["operator.pairing"] }, async (session) =>
    send(session, "reject", choose(await fetchPendingRequests(session))),
  );
}

async function send(
  session: GatewaySession,
  verb: "approve" | "reject",
  pending: PendingRequest,
): Promise<Decision> {
  const method = `${pending.kind}.pair.${verb}`;
  const result = await session.request(method, { requestId: pending.request.requestId });
  return { pending, result, isOneStep: session.serves("node.invoke.status") };
}
