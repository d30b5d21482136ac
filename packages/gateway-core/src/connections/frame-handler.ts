import { CLOSE, encodeError, parseFrame } from "@openclaw/protocol";
import { RequestError, unavailable } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { GatewayCaller } from "../methods/gateway-method.ts";
import { type MethodTable, forProtocol } from "../methods/method-table.ts";
import type { Connection } from "./connection.ts";
import type { PeerSocketOwner } from "./peer-socket.ts";

/** A peer that keeps calling what its role may not is told so ten times. */
const MAX_ROLE_REFUSALS = 10;

/**
 * What happens to the frames of an accepted peer: parsed once, checked, run, answered. A frame that
 * is wrong is answered and harms nobody else.
 */
export function createFrameHandler(options: {
  connection: Connection;
  methods: MethodTable;
  maxInFlight: number;
  isDraining: () => boolean;
  logger: Logger;
  onClose: (code: number, reason: string) => void;
}): PeerSocketOwner {
  const { connection, methods, logger } = options;
  const { role, scopes, protocol, deviceId, connectedAtMs } = connection.identity;
  const caller: GatewayCaller = { role, scopes, deviceId, connectedAtMs, connection };

  function refuse(id: string, error: RequestError): void {
    connection.refuse(id, forProtocol(error, protocol));
    if (!error.message.startsWith("unauthorized role:")) return;
    connection.refusals += 1;
    if (connection.refusals > MAX_ROLE_REFUSALS)
      connection.close(CLOSE.POLICY_VIOLATION, "repeated unauthorized calls");
  }

  function fail(id: string, method: string, error: unknown): void {
    if (error instanceof RequestError) {
      try {
        return refuse(id, error);
      } catch {
        // Its details cannot be printed as JSON: a fault of whoever threw it.
      }
    }
    // A fault of ours or of an embedder's method: the peer learns that, not what lies inside.
    logger.error({ err: error, method, connId: connection.identity.connId }, "method failed");
    refuse(id, unavailable(`${method} failed on the Gateway`, { details: { code: "INTERNAL" } }));
  }

  function answerWith(id: string, method: string, answer: unknown): void {
    if (methods.isUnhurried(method)) connection.respondSoon(id, answer);
    else connection.respond(id, answer);
  }

  async function settle(id: string, method: string, answer: PromiseLike<unknown>): Promise<void> {
    connection.requestsInFlight += 1;
    try {
      answerWith(id, method, await answer);
    } catch (error) {
      fail(id, method, error);
    } finally {
      connection.requestsInFlight -= 1;
    }
  }

  return {
    onText(text) {
      if (!connection.isOpen) return;
      const parsed = parseFrame(text);
      if (!parsed.ok) {
        connection.direct(
          encodeError(parsed.id, { code: "INVALID_REQUEST", message: parsed.message }),
        );
        return;
      }
      const { frame } = parsed;
      if (frame.type !== "req") {
        connection.direct(
          encodeError("invalid", {
            code: "INVALID_REQUEST",
            message: "invalid request frame: at /type: must be equal to constant",
          }),
        );
        return;
      }
      const { id, method } = frame;
      if (connection.requestsInFlight >= options.maxInFlight) {
        const details = { code: "TOO_MANY_REQUESTS", limit: options.maxInFlight };
        refuse(
          id,
          unavailable("too many requests in flight", {
            retryable: true,
            retryAfterMs: 100,
            details,
          }),
        );
        return;
      }
      // Nodes may still deliver results, so that what runs can end well.
      if (options.isDraining() && role === "operator") {
        const details = { method, reason: "gateway-restarting" };
        refuse(
          id,
          unavailable("gateway is shutting down", {
            retryable: true,
            retryAfterMs: 1_000,
            details,
          }),
        );
        return;
      }
      try {
        const answer = methods.call(method, frame.params, caller);
        if (isPromise(answer)) void settle(id, method, answer);
        else answerWith(id, method, answer);
      } catch (error) {
        fail(id, method, error);
      }
    },
    onDrain: () => connection.resumeReading(),
    onClose: options.onClose,
  };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}
