import { randomUUID } from "node:crypto";
import type { Ledger, LedgerEntry } from "@openclaw/ledger";
import {
  CAP_INVOKE_PROGRESS,
  MAX_INVOKE_TIMEOUT_MS,
  encodeEvent,
  resolveInvokeTimeoutMs,
} from "@openclaw/protocol";
import type { Connection } from "../connections/connection.ts";
import { type RequestError, invalidRequest, unavailable } from "../errors.ts";
import { createInvocationIndex } from "./invocation-index.ts";
import { type RecordMeta, fingerprintOf, metaOf, restored } from "./invocation-record.ts";
import { keyConflict, notReachable, settlementError, timeoutError } from "./invoke-errors.ts";
import { UNKNOWN_SEQ, takeProgress } from "./invoke-progress.ts";
import type { Logger } from "../logger.ts";
import {
  type Invocation,
  type Outcome,
  type Settlement,
  type Waiter,
  failureOf,
  outcomeOfFailure,
} from "./invocation.ts";

/** How long a node that says it never received an invocation is believed; its record lasts a day. */
const NODE_MEMORY_MS = 12 * 3_600_000;
export interface InvokeRequest {
  key: string;
  nodeId: string;
  command: string;
  /** The params as JSON text; absent when there are none. */
  paramsJSON: string | undefined;
  timeoutMs: number | undefined;
  sessionKey: string | undefined;
  /** Who asks; progress goes there. */
  caller: Connection | undefined;
}

/** How far an invocation has come, as {@link InvokeBroker.status} tells it. */
export interface InvokeStatus {
  stage: "not-sent" | "queued" | "running" | "finished" | "interrupted";
  recorded: boolean;
  nodeId?: string;
  command?: string;
  invokeId?: string;
  createdAtMs?: number;
  updatedAtMs?: number;
  outcome?: Outcome;
}

/** How the node a request is for can be reached, looked up once per request. */
export type NodeRoute = { ok: true; connection: Connection } | { ok: false; error: RequestError };

/**
 * Brings an invocation to a node and its outcome back, at most once for each key.
 *
 *     invoke ──► ledger.open ──► node.invoke.request ──► node … node.invoke.result
 *                                                                     │
 *     answer to all who wait  ◄── acknowledge the node ◄── ledger.finish
 *
 * Nothing is sent to a node before the record of it is durable, no outcome is told before it stands in
 * a durable record, the node's or ours, and none is acknowledged before it stands in ours. What a dying connection leaves open stays open until the node comes back and
 * says what became of it.
 */
export interface InvokeBroker {
  /** Settles with the outcome, or rejects with the error to answer. */
  invoke(request: InvokeRequest, route: () => NodeRoute): Promise<Outcome>;
  /** A node's result. False when nobody knows that id, or it has been answered before. */
  result(
    from: Connection,
    id: string,
    outcome: Outcome,
    acknowledged: (error?: Error) => void,
  ): boolean;
  progress(from: Connection, id: string, seq: number, chunk: string): boolean;
  input(key: string, payloadJSON: string): void;
  cancel(key: string): { cancelled: boolean; stage: InvokeStatus["stage"] };
  status(key: string): InvokeStatus;
  /** What earlier connections of this node left open; from now on `connection` answers for it. */
  sync(connection: Connection): { id: string; idempotencyKey: string }[];
  /** The connection has gone: whoever waits on it is answered at once. */
  detach(connection: Connection): void;
  /** The node will never tell what became of what it left open: all of it counts as interrupted. */
  abandon(nodeId: string): void;
  /** The same for whatever has been left open for longer than `abandonAfterMs`, or never answered. */
  sweep(): void;
  /** Answers all who still wait and ends every timer; what is open stays open in the ledger. */
  close(): void;
  readonly open: number;
}

export interface InvokeBrokerOptions {
  ledger: Ledger;
  now: () => number;
  maxPerNode: number;
  /** How long a node may stay away before what it left open counts as interrupted. */
  abandonAfterMs: number;
  logger: Logger;
}

export function createInvokeBroker(options: InvokeBrokerOptions): InvokeBroker {
  const { ledger, now, logger } = options;
  const index = createInvocationIndex();
  const { byKey, byId, byCarrier, carriedBy, remember } = index;

  for (const entry of ledger.openEntries()) remember(restored(entry));

  function forget(invocation: Invocation): void {
    if (invocation.deadlineTimer) clearTimeout(invocation.deadlineTimer);
    index.forget(invocation);
  }

  function settle(invocation: Invocation, settlement: Settlement): void {
    for (const waiter of invocation.waiters) {
      if (waiter.timer) clearTimeout(waiter.timer);
      waiter.settle(settlement);
    }
    invocation.waiters.clear();
  }

  /** Whoever began an invocation waits as long as it may run; whoever joins has a deadline of its own. */
  function wait(
    invocation: Invocation,
    request: InvokeRequest,
    role: "begins" | "joins",
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        connection: request.caller?.identity.caps.has(CAP_INVOKE_PROGRESS)
          ? request.caller
          : undefined,
        timer:
          role === "begins"
            ? undefined
            : setTimeout(() => {
                invocation.waiters.delete(waiter);
                reject(timeoutError(invocation));
              }, resolveInvokeTimeoutMs(request.timeoutMs)),
        settle(settlement) {
          if (settlement.kind === "outcome") resolve(settlement.outcome);
          else reject(settlementError(invocation, settlement));
        },
      };
      invocation.waiters.add(waiter);
    });
  }

  /** Hands a recorded invocation to the node, unless there is no point in it any more. */
  function dispatch(invocation: Invocation, request: InvokeRequest, timeoutMs: number): void {
    const carrier = invocation.carrier;
    if (invocation.stage !== "queued" || !carrier) return;
    if (!carrier.isOpen)
      return withdraw(
        invocation,
        "NOT_CONNECTED",
        "node disconnected before the invocation was sent",
      );
    const remainingMs = Math.max(1, invocation.createdAtMs + timeoutMs - now());
    invocation.stage = "running";
    carrier.direct(
      encodeEvent({
        event: "node.invoke.request",
        payload: {
          id: invocation.id,
          nodeId: invocation.nodeId,
          command: invocation.command,
          ...(request.paramsJSON === undefined ? {} : { paramsJSON: request.paramsJSON }),
          timeoutMs: remainingMs,
          idempotencyKey: invocation.key,
          ...(request.sessionKey === undefined ? {} : { sessionKey: request.sessionKey }),
        },
      }),
    );
  }

  /** Takes back an invocation of which it is certain that no node ever saw it. */
  function withdraw(invocation: Invocation, code: string, message: string): void {
    forget(invocation);
    // Its record may not be durable yet; when it is, nothing may be sent any more.
    invocation.carrier = undefined;
    ledger.forget(invocation.key);
    settle(invocation, { kind: "not-sent", code, message });
  }

  function begin(request: InvokeRequest, fingerprint: string, carrier: Connection): Invocation {
    const timeoutMs = resolveInvokeTimeoutMs(request.timeoutMs);
    const invocation: Invocation = {
      key: request.key,
      id: randomUUID(),
      fingerprint,
      nodeId: request.nodeId,
      command: request.command,
      createdAtMs: now(),
      stage: "queued",
      carrier,
      waiters: new Set(),
      deadlineTimer: undefined,
      nextProgress: 0,
      heldProgress: undefined,
      nextInput: 0,
    };
    remember(invocation);
    invocation.deadlineTimer = setTimeout(() => expire(invocation), timeoutMs);
    const { id, nodeId, command } = invocation;
    const meta: RecordMeta = { id, nodeId, command };
    ledger.open({ key: request.key, fingerprint, meta }, (error) => {
      if (!error) return dispatch(invocation, request, timeoutMs);
      logger.error({ err: error, invokeId: invocation.id }, "invocation could not be recorded");
      forget(invocation);
      settle(invocation, {
        kind: "not-sent",
        code: "NOT_RECORDED",
        message: "the Gateway could not record the invocation, so it was not sent",
      });
    });
    return invocation;
  }

  function expire(invocation: Invocation): void {
    invocation.deadlineTimer = undefined;
    if (invocation.stage === "queued")
      return withdraw(invocation, "TIMEOUT", "the time ran out before the invocation was sent");
    // Those who joined with the same deadline have timers of their own, due now or shortly.
    settle(invocation, { kind: "timeout" });
    sendCancel(invocation);
  }

  function sendCancel(invocation: Invocation): boolean {
    if (invocation.stage !== "running" || !invocation.carrier) return false;
    invocation.carrier.direct(
      encodeEvent({
        event: "node.invoke.cancel",
        payload: { invokeId: invocation.id, nodeId: invocation.nodeId },
      }),
    );
    return true;
  }

  function finish(invocation: Invocation, outcome: Outcome, done: (error?: Error) => void): void {
    // Out of the indexes first: a second result for the same id finds nobody.
    byId.delete(invocation.id);
    ledger.finish(invocation.key, outcome, (error) => {
      if (error) {
        logger.error({ err: error, invokeId: invocation.id }, "outcome could not be recorded");
        byId.set(invocation.id, invocation);
        done(error);
        return;
      }
      forget(invocation);
      done();
      settle(invocation, { kind: "outcome", outcome });
    });
  }

  /** Nobody will ever tell what became of it. That is an answer too, and it is final. */
  function interrupt(invocation: Invocation, message: string): void {
    finish(invocation, outcomeOfFailure({ code: "INTERRUPTED", message }), () => {});
  }

  /** The node never heard of it, so nothing happened: the key is free again. */
  function neverReceived(invocation: Invocation, done: (error?: Error) => void): void {
    // A node forgets too. What began so long ago may have run and been dropped from its record.
    if (now() - invocation.createdAtMs > NODE_MEMORY_MS) {
      const message = "the node has no record of it any more";
      finish(invocation, outcomeOfFailure({ code: "INTERRUPTED", message }), done);
      return;
    }
    withdraw(invocation, "NOT_RECEIVED", "the node never received the invocation");
    done();
  }

  function stored(key: string): { entry: LedgerEntry; outcome: Outcome } | undefined {
    const entry = ledger.get(key);
    if (entry?.stage !== "finished") return undefined;
    const outcome = ledger.outcome(key);
    return outcome === undefined ? undefined : { entry, outcome };
  }

  return {
    get open() {
      return byKey.size;
    },
    async invoke(request, route) {
      const fingerprint = fingerprintOf(request);
      const running = byKey.get(request.key);
      if (running) {
        if (running.fingerprint !== fingerprint) throw keyConflict(request.key);
        if (!running.carrier) {
          const found = route();
          if (!found.ok) throw notReachable(running, found.error);
          // It is back, and is about to say what became of this one.
        }
        return wait(running, request, "joins");
      }
      const finished = stored(request.key);
      if (finished) {
        if (finished.entry.fingerprint !== fingerprint) throw keyConflict(request.key);
        return finished.outcome;
      }
      const found = route();
      if (!found.ok) throw found.error;
      if (carriedBy(found.connection).size >= options.maxPerNode) {
        throw unavailable("node has too many invocations in flight", {
          retryable: true,
          retryAfterMs: 250,
          details: { code: "TOO_MANY_INVOCATIONS", limit: options.maxPerNode },
        });
      }
      return wait(begin(request, fingerprint, found.connection), request, "begins");
    },
    result(from, id, outcome, acknowledged) {
      const invocation = byId.get(id);
      if (!invocation || invocation.nodeId !== from.identity.deviceId) return false;
      if (failureOf(outcome)?.code === "NOT_RECEIVED") neverReceived(invocation, acknowledged);
      else {
        // It stands in a record that outlives the node, so whoever waits need not wait for ours. Only
        // the acknowledgement does: until then the node keeps the outcome for us.
        if (from.node?.recordsDurably) settle(invocation, { kind: "outcome", outcome });
        finish(invocation, outcome, acknowledged);
      }
      return true;
    },
    progress(from, id, seq, chunk) {
      const invocation = byId.get(id);
      if (!invocation || invocation.carrier !== from || seq < invocation.nextProgress) return false;
      // After a restart of the Gateway nobody knows which chunk is the next; a node sends in order.
      if (invocation.nextProgress === UNKNOWN_SEQ || invocation.waiters.size === 0)
        invocation.nextProgress = seq;
      if (invocation.waiters.size === 0) {
        invocation.nextProgress += 1;
        return true;
      }
      takeProgress(invocation, seq, chunk);
      return true;
    },
    input(key, payloadJSON) {
      const invocation = byKey.get(key);
      if (!invocation) throw invalidRequest("unknown idempotencyKey", { code: "NOT_RUNNING" });
      if (invocation.stage !== "running" || !invocation.carrier)
        throw unavailable("invocation cannot take input now", { retryable: true });
      const { id, nodeId } = invocation;
      const seq = invocation.nextInput++;
      invocation.carrier.direct(
        encodeEvent({ event: "node.invoke.input", payload: { id, nodeId, seq, payloadJSON } }),
      );
    },
    cancel(key) {
      const invocation = byKey.get(key);
      if (!invocation) return { cancelled: false, stage: statusOf(key).stage };
      return { cancelled: sendCancel(invocation), stage: invocation.stage };
    },
    status: statusOf,
    sync(connection) {
      const { deviceId } = connection.identity;
      const left: { id: string; idempotencyKey: string }[] = [];
      for (const invocation of byKey.values()) {
        if (invocation.nodeId !== deviceId || invocation.carrier) continue;
        invocation.carrier = connection;
        carriedBy(connection).add(invocation);
        left.push({ id: invocation.id, idempotencyKey: invocation.key });
      }
      return left;
    },
    detach(connection) {
      const carried = byCarrier.get(connection);
      byCarrier.delete(connection);
      for (const invocation of carried ?? []) {
        invocation.carrier = undefined;
        if (invocation.stage === "queued") {
          // Not sent, and dispatch will not send it now.
          withdraw(invocation, "NOT_CONNECTED", "node disconnected before the invocation was sent");
          continue;
        }
        settle(invocation, { kind: "disconnected" });
        if (!connection.node?.keepsLedger)
          interrupt(invocation, "the node disconnected and keeps no record of invocations");
      }
      // Whoever joined before the node had said what became of it.
      const { deviceId } = connection.identity;
      for (const invocation of byKey.values())
        if (!invocation.carrier && invocation.nodeId === deviceId)
          settle(invocation, { kind: "disconnected" });
    },
    abandon(nodeId) {
      for (const invocation of byKey.values())
        if (invocation.nodeId === nodeId && !invocation.carrier)
          interrupt(invocation, "the node keeps no record of invocations");
    },
    sweep() {
      const at = now();
      const awayMs = options.abandonAfterMs;
      // A node that is there may take as long as any deadline allows; after that it will not answer.
      const silentMs = Math.max(awayMs, MAX_INVOKE_TIMEOUT_MS);
      for (const invocation of byKey.values()) {
        const ageMs = at - invocation.createdAtMs;
        if (!invocation.carrier) {
          if (ageMs > awayMs) interrupt(invocation, "the node did not come back");
        } else if (ageMs > silentMs) interrupt(invocation, "the node never answered");
      }
    },
    close() {
      for (const invocation of byKey.values()) {
        if (invocation.deadlineTimer) clearTimeout(invocation.deadlineTimer);
        invocation.deadlineTimer = undefined;
        settle(invocation, { kind: "disconnected" });
      }
    },
  };

  function statusOf(key: string): InvokeStatus {
    const invocation = byKey.get(key);
    if (invocation) {
      return {
        stage: invocation.stage,
        recorded: true,
        nodeId: invocation.nodeId,
        command: invocation.command,
        invokeId: invocation.id,
        createdAtMs: invocation.createdAtMs,
      };
    }
    const finished = stored(key);
    if (!finished) return { stage: "not-sent", recorded: false };
    const { entry, outcome } = finished;
    const meta = metaOf(entry);
    const status: InvokeStatus = {
      stage: failureOf(outcome)?.code === "INTERRUPTED" ? "interrupted" : "finished",
      recorded: true,
      nodeId: meta.nodeId,
      command: meta.command,
      invokeId: meta.id,
      createdAtMs: entry.openedAtMs,
      outcome,
    };
    if (entry.finishedAtMs !== undefined) status.updatedAtMs = entry.finishedAtMs;
    return status;
  }
}
