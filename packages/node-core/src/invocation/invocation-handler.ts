import type { Logger } from "@openclaw/client";
import type { Ledger, LedgerEntry } from "@openclaw/ledger";
import { MAX_FRAME_BYTES, RawJson, resolveInvokeTimeoutMs } from "@openclaw/protocol";
import type { NodeCommand } from "../define-command.ts";
import { CommandError } from "../errors.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { createInvocation, type Invocation } from "./invocation.ts";
import { readInvokeRequest, type InvokeRequest } from "./invoke-request.ts";
import type { NodePeer } from "./node-peer.ts";
import {
  errorOutcome,
  fitOutcome,
  INTERRUPTED_OUTCOME,
  KEY_CONFLICT_OUTCOME,
  NOT_RECEIVED_OUTCOME,
  resultParams,
  type OutcomeText,
} from "./outcome.ts";
import { createProgressSender, type SendPiece } from "./progress-sender.ts";

export interface InvocationHandlerOptions {
  peer: NodePeer;
  nodeId: string;
  commands: readonly NodeCommand[];
  ledger: Ledger;
  logger: Logger;
  /** Invocations that may run at once; more are answered `UNAVAILABLE`. */
  maxRunning: number;
  now: () => number;
}

/** The node's side of `node.invoke`. */
export interface InvocationHandler {
  /** Invocations that run now. */
  readonly running: number;
  /** Aborts what runs, waits for it to end and for the answers to be taken. */
  close(): Promise<void>;
}

/** How often an outcome is offered to a ledger that cannot write. */
const RECORD_RETRY_MS = 1_000;
/** How often a result is offered to a connection that has too much to write. */
const BACKPRESSURE_RETRY_MS = 200;
/** The first pause before a result is offered to a Gateway that could not take it; each is twice as long. */
const REFUSED_RETRY_MS = 1_000;
const MAX_REFUSED_RETRY_MS = 30_000;
/** How long an answer may take to be taken when the node closes. */
const CLOSE_ANSWER_MS = 2_000;

/**
 * Runs each key at most once.
 *
 * ```text
 *   request --> known key? --no--> check params --> ledger.open ==> run ==> ledger.finish ==> result
 *                 |-- finished:   stored outcome                (==> means: after the record is durable)
 *                 |-- running:    joins it
 *                 |-- open, but not running here: INTERRUPTED
 *                 '-- other body: KEY_CONFLICT
 * ```
 *
 * A result that the Gateway has not acknowledged is not repeated on its own: after each hello the
 * Gateway lists what it has unresolved (`node.invoke.sync`), and is answered from the ledger.
 */
export function createInvocationHandler(options: InvocationHandlerOptions): InvocationHandler {
  const { peer, nodeId, ledger, logger, maxRunning, now } = options;
  const commands = new Map(options.commands.map((command) => [command.name, command]));
  const byKey = new Map<string, Invocation>();
  const byId = new Map<string, Invocation>();
  // One for each invocation that has not been concluded.
  const pending = new Map<Invocation, () => void>();
  const answers = new Set<Promise<void>>();
  let isClosing = false;

  // What an earlier process began and did not finish will not be finished by anyone.
  for (const entry of ledger.openEntries()) markInterrupted(entry);

  const unsubscribe = [
    peer.on("node.invoke.request", (payload) => {
      const request = readInvokeRequest(payload, nodeId);
      if (request === undefined) logger.warn({}, "node: an invocation without id or command");
      else handle(request);
    }),
    peer.on("node.invoke.cancel", (payload) => {
      const invocation = byId.get(stringMember(payload, "invokeId") ?? "");
      invocation?.abort(new CommandError("ABORTED", "the caller cancelled the command"));
    }),
    peer.on("node.invoke.input", (payload) => {
      const invocation = byId.get(stringMember(payload, "id") ?? "");
      const text = stringMember(payload, "payloadJSON");
      const seq = numberMember(payload, "seq");
      if (invocation === undefined || text === undefined || seq === undefined) return;
      if (!invocation.pushInput(seq, text)) {
        logger.warn({ command: invocation.command, seq }, "node: a piece of input was dropped");
      }
    }),
    peer.on("state", (state) => {
      if (state.kind === "open") void sync();
      else for (const invocation of byKey.values()) invocation.progress.pause();
    }),
  ];
  if (peer.state.kind === "open") void sync();

  function handle(request: InvokeRequest): void {
    const { id, idempotencyKey: key } = request;
    const command = commands.get(request.command);
    const fingerprint = fingerprintOf(
      request.command,
      request.paramsJSON,
      command?.volatileParams ?? [],
    );
    const running = byKey.get(key);
    const entry = ledger.get(key);
    const known = running?.fingerprint ?? entry?.fingerprint;
    if (known !== undefined && known !== fingerprint) return answer(id, KEY_CONFLICT_OUTCOME);
    if (running !== undefined) return join(running, id);
    if (entry !== undefined) return answerFromLedger(id, entry);

    if (isClosing) return answer(id, unavailable("the node is closing"));
    if (command === undefined) return answer(id, unavailable("command not supported"));
    if (byKey.size >= maxRunning) {
      return answer(id, unavailable(`the node runs ${maxRunning} invocations already`));
    }
    const params = parseParams(request.paramsJSON);
    if (params === UNPARSABLE) {
      const message = `invalid ${command.name} params: not JSON`;
      return answer(id, errorOutcome({ code: "INVALID_REQUEST", message }));
    }
    const call = command.prepare(params);
    if (!call.ok) return answer(id, errorOutcome(call.error));

    const invocation = createInvocation({
      key,
      fingerprint,
      command: command.name,
      invokeId: id,
      timeoutMs: resolveInvokeTimeoutMs(request.timeoutMs),
      call,
      progress: createProgressSender(progressTo(id)),
      emit: sendEvent,
      now,
    });
    byKey.set(key, invocation);
    byId.set(id, invocation);
    pending.set(invocation, () => {});
    ledger.open({ key, fingerprint, meta: { command: command.name, id } }, (error) => {
      if (error === undefined) return void start(invocation);
      logger.error({ err: error, command: command.name }, "node: an invocation cannot be recorded");
      invocation.abort(new CommandError("UNAVAILABLE", "not recorded"));
      conclude(invocation, unavailable(`the node cannot record the invocation: ${error.message}`));
    });
  }

  async function start(invocation: Invocation): Promise<void> {
    const outcome = await invocation.run();
    record(invocation, fitOutcome(outcome, invocation.command, maxFrameBytes()));
  }

  function record(invocation: Invocation, outcome: OutcomeText): void {
    ledger.finish(invocation.key, outcome, (error) => {
      if (error === undefined) return conclude(invocation, outcome);
      const { command } = invocation;
      logger.error({ err: error, command }, "node: an outcome cannot be recorded yet");
      // The work is done, but only a recorded outcome may be told. Until then the key counts as
      // running; if the process ends before, it counts as interrupted.
      if (isClosing) return settle(invocation);
      setTimeout(() => record(invocation, outcome), RECORD_RETRY_MS);
    });
  }

  function settle(invocation: Invocation): void {
    pending.get(invocation)?.();
    pending.delete(invocation);
  }

  function conclude(invocation: Invocation, outcome: OutcomeText): void {
    settle(invocation);
    byKey.delete(invocation.key);
    invocation.progress.flush();
    for (const id of invocation.ids) {
      byId.delete(id);
      answer(id, outcome);
    }
    invocation.progress.end();
  }

  function join(invocation: Invocation, id: string): void {
    invocation.ids.add(id);
    byId.set(id, invocation);
    invocation.progress.resume();
  }

  function answerFromLedger(id: string, entry: LedgerEntry): void {
    answer(id, storedOutcome(entry));
  }

  function storedOutcome(entry: LedgerEntry): OutcomeText {
    if (entry.stage === "open") return INTERRUPTED_OUTCOME;
    try {
      return ledger.outcome(entry.key) ?? INTERRUPTED_OUTCOME;
    } catch (error) {
      logger.error({ err: error }, "node: a recorded outcome cannot be read");
      return unavailable("the command has run, but its recorded outcome cannot be read");
    }
  }

  function markInterrupted(entry: LedgerEntry): void {
    ledger.finish(entry.key, INTERRUPTED_OUTCOME, (error) => {
      if (error !== undefined) logger.warn({ err: error }, "node: an interruption is not recorded");
    });
  }

  /** Answers one invoke id; on a lost connection the next sync asks again. */
  function answer(id: string, outcome: OutcomeText): void {
    if (peer.state.kind !== "open") return;
    const sending = sendResult(id, outcome);
    answers.add(sending);
    void sending.finally(() => answers.delete(sending));
  }

  async function sendResult(id: string, outcome: OutcomeText): Promise<void> {
    const fitting = fitOutcome(outcome, "the command", maxFrameBytes());
    const params = new RawJson(resultParams(id, nodeId, fitting));
    let refusals = 0;
    while (peer.state.kind === "open") {
      let pauseMs = BACKPRESSURE_RETRY_MS;
      try {
        await peer.requestRaw("node.invoke.result", params);
        return;
      } catch (error) {
        if (isCode(error, "CONNECTION_LOST")) return;
        if (!isCode(error, "BACKPRESSURE")) {
          logger.warn({ err: error, invokeId: id }, "node: a result was not taken");
          // The Gateway cannot record it now, is too busy, or stood still: somebody waits for it.
          if (!mayTakeItLater(error)) return;
          pauseMs = Math.min(REFUSED_RETRY_MS * 2 ** refusals, MAX_REFUSED_RETRY_MS);
          refusals += 1;
        }
      }
      await new Promise<void>((resolve) => {
        setTimeout(resolve, pauseMs);
      });
    }
  }

  /** Tells the Gateway what became of the invocations that it has unresolved for this node. */
  async function sync(): Promise<void> {
    if (!serves("node.invoke.sync")) {
      for (const invocation of byKey.values()) invocation.progress.end();
      return;
    }
    let open: readonly unknown[];
    try {
      const reply = await peer.request("node.invoke.sync", {
        durable: ledger.durability !== "none",
      });
      open = arrayMember(reply, "open");
    } catch (error) {
      // A connection that broke meanwhile brings the next sync.
      if (!isCode(error, "CONNECTION_LOST")) logger.warn({ err: error }, "node: the sync failed");
      return;
    }
    for (const item of open) {
      const id = stringMember(item, "id");
      const key = stringMember(item, "idempotencyKey") ?? `id:${id}`;
      if (id === undefined) continue;
      const running = byKey.get(key);
      const entry = ledger.get(key);
      if (running !== undefined) join(running, id);
      else if (entry !== undefined) answerFromLedger(id, entry);
      else answer(id, hasForgotten() ? INTERRUPTED_OUTCOME : NOT_RECEIVED_OUTCOME);
    }
  }

  /** A ledger that does not outlive the process cannot tell "never received" from "forgotten". */
  function hasForgotten(): boolean {
    return ledger.durability === "none";
  }

  function progressTo(invokeId: string): SendPiece {
    return async (seq, chunk) => {
      if (peer.state.kind !== "open") return "lost";
      if (!serves("node.invoke.progress")) return "unwanted";
      try {
        const reply = await peer.request("node.invoke.progress", { invokeId, nodeId, seq, chunk });
        return booleanMember(reply, "ignored") === true ? "unwanted" : "accepted";
      } catch (error) {
        if (isCode(error, "CONNECTION_LOST")) return "lost";
        logger.debug({ err: error, invokeId }, "node: live output was not taken");
        return "unwanted";
      }
    };
  }

  function sendEvent(event: string, payload: unknown): void {
    if (peer.state.kind !== "open") return;
    peer.request("node.event", { event, payloadJSON: JSON.stringify(payload) }).catch((error) => {
      logger.debug({ err: error, event }, "node: an event was not taken");
    });
  }

  function serves(method: string): boolean {
    // An older or odd Gateway may lack any part of it.
    const methods: unknown = peer.hello?.features?.methods;
    return Array.isArray(methods) && methods.includes(method);
  }

  function maxFrameBytes(): number {
    const limit: unknown = peer.hello?.policy?.maxPayload;
    return typeof limit === "number" && limit > 0
      ? Math.min(limit, MAX_FRAME_BYTES)
      : MAX_FRAME_BYTES;
  }

  return {
    get running() {
      return byKey.size;
    },
    async close() {
      isClosing = true;
      for (const invocation of byKey.values()) {
        invocation.abort(new CommandError("ABORTED", "the node is closing"));
      }
      await Promise.all(
        [...pending.keys()].map(
          (invocation) =>
            new Promise<void>((resolve) => {
              pending.set(invocation, resolve);
            }),
        ),
      );
      let timer: NodeJS.Timeout | undefined;
      const enough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_ANSWER_MS);
      });
      await Promise.race([Promise.all(answers), enough]);
      clearTimeout(timer);
      for (const end of unsubscribe) end();
    },
  };
}

const UNPARSABLE = Symbol("unparsable");

function parseParams(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    const params: unknown = JSON.parse(text);
    return params === null ? undefined : params;
  } catch {
    return UNPARSABLE;
  }
}

function unavailable(message: string): OutcomeText {
  return errorOutcome({ code: "UNAVAILABLE", message });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function mayTakeItLater(error: unknown): boolean {
  return isCode(error, "REQUEST_TIMEOUT") || booleanMember(error, "retryable") === true;
}

function member(value: unknown, name: string): unknown {
  // An object from the wire; the callers check the member they get.
  if (typeof value === "object" && value !== null) return (value as Record<string, unknown>)[name];
  return undefined;
}

function stringMember(value: unknown, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === "string" && found !== "" ? found : undefined;
}

function numberMember(value: unknown, name: string): number | undefined {
  const found = member(value, name);
  return typeof found === "number" ? found : undefined;
}

function booleanMember(value: unknown, name: string): boolean | undefined {
  const found = member(value, name);
  return typeof found === "boolean" ? found : undefined;
}

function arrayMember(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
}
