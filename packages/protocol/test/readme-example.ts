import * as wire from "@openclaw/protocol";

/** Answers one message of a peer, which may hold anything. */
export function answer(text: string): string {
  const parsed = wire.parseFrame(text);
  if (!parsed.ok) return refuse(parsed.id, parsed.message);
  if (parsed.frame.type !== "req") return refuse("invalid", "a request was expected");
  const { id, method, params = {} } = parsed.frame;
  if (method !== "node.describe") return refuse(id, `unknown method: ${method}`);
  const checked = wire.validateParams(wire.methodSchemas[method].params, params);
  if (!checked.ok) return refuse(id, `invalid ${method} params: ${checked.detail}`);
  return wire.encodeResponse(id, { nodeId: checked.value.nodeId, connected: false });
}

const refuse = (id: string, message: string): string =>
  wire.encodeError(id, { code: "INVALID_REQUEST", message });
