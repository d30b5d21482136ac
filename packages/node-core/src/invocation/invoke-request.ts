/** A `node.invoke.request` as far as this node reads it. */
export interface InvokeRequest {
  id: string;
  command: string;
  /** JSON text, or nothing. */
  paramsJSON: string | undefined;
  timeoutMs: number | undefined;
  /** The caller's key; requests without one are keyed by their id. */
  idempotencyKey: string;
}

/** Reads the payload of the event; `undefined` if it is not one for `nodeId`. */
export function readInvokeRequest(payload: unknown, nodeId: string): InvokeRequest | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  // Members of an object from the wire; each is checked below.
  const fields = payload as Record<string, unknown>;
  const { id, command, paramsJSON, timeoutMs, idempotencyKey } = fields;
  if (typeof id !== "string" || id === "" || typeof command !== "string") return undefined;
  if (typeof fields["nodeId"] === "string" && fields["nodeId"] !== nodeId) return undefined;
  return {
    id,
    command,
    paramsJSON: typeof paramsJSON === "string" && paramsJSON !== "" ? paramsJSON : undefined,
    timeoutMs: typeof timeoutMs === "number" ? timeoutMs : undefined,
    idempotencyKey:
      typeof idempotencyKey === "string" && idempotencyKey !== "" ? idempotencyKey : `id:${id}`,
  };
}
