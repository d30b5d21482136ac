import type { Socket } from "node:net";
import { afterRealMs } from "./deadline.ts";

/**
 * What happens to the bytes of one direction.
 *
 * - `pass`: they go on.
 * - `stall`: nobody reads them; the sender's buffers fill, as with a cable that is out for a while.
 *   Back to `pass`, everything arrives.
 * - `drop`: they are read and thrown away, FIN and RST with them; the sender notices nothing. What
 *   was dropped is gone, so a byte stream does not recover from it.
 */
export type Flow = "pass" | "stall" | "drop";

/** How a link ends: an orderly end, a reset, or both directions dropping from then on. */
export type CutKind = "fin" | "reset" | "silence";

/** Conditions of one direction; each has its own effect, and they combine. */
export interface LinkConditions {
  /** @default "pass" */
  flow?: Flow;
  /** Each byte arrives this much later. @default 0 */
  delayMs?: number;
  /** Up to this much is added to the delay, anew for each chunk; the order is kept. @default 0 */
  jitterMs?: number;
  /** Upper limit of the rate. @default no limit */
  bytesPerSecond?: number;
  /** The link is cut when exactly this many bytes were forwarded. @default never */
  cutAfterBytes?: number;
  /** @default "reset" */
  cutWith?: CutKind;
}

/** One direction of a proxied connection. */
export interface FaultLink {
  readonly conditions: Readonly<LinkConditions>;
  /** Bytes that arrived from the sender. */
  readonly receivedBytes: number;
  /** Bytes that were passed on. */
  readonly forwardedBytes: number;
  /** Changes the conditions named; the others stay as they are. */
  set(conditions: LinkConditions): void;
  /** Back to a perfect link. */
  clear(): void;
  /** Sends a FIN to the receiver now, whatever is queued; the other direction lives on. */
  halfClose(): void;
  /** Resolves when that many bytes were forwarded; never, if the link ends before. */
  forwarded(bytes: number): Promise<void>;
  /** Resolves when that many bytes arrived from the sender, forwarded or not. */
  received(bytes: number): Promise<void>;
}

/** What the two directions of a connection need from whoever joins them. */
export interface FaultLinkContext {
  source: Socket;
  destination: Socket;
  random: () => number;
  cut: (kind: CutKind) => void;
  /** The conditions were changed. */
  onChange: () => void;
}

/** A link and the handle with which its connection lets go of it. */
export interface OwnedFaultLink {
  link: FaultLink;
  dispose(): void;
}

/** Above this much in the queue we stop reading, so that a slow link pushes back on its sender. */
const MAX_QUEUED_BYTES = 64 * 1024;
/** What is under way on a long link is not what waits for it: a delay alone limits no rate. */
const MAX_UNDER_WAY_BYTES = 16 * 1024 * 1024;
/** A limited link may send this much of a second at once, or the timers would be its limit. */
const BURST_SECONDS = 0.02;

interface Chunk {
  data: Buffer;
  dueAtMs: number;
}

interface Milestone {
  bytes: number;
  resolve(): void;
}

/** Pumps bytes from `source` to `destination` under changing conditions. */
export function createFaultLink(context: FaultLinkContext): OwnedFaultLink {
  const { source, destination, random, cut, onChange } = context;
  const queue: Chunk[] = [];
  const forwardedMilestones = new Set<Milestone>();
  const receivedMilestones = new Set<Milestone>();
  let conditions: LinkConditions = {};
  let queuedBytes = 0;
  let receivedBytes = 0;
  let forwardedBytes = 0;
  let lastDueAtMs = 0;
  let tokens = 0;
  let tokensAtMs = performance.now();
  let isFull = false;
  let hasEnded = false;
  let hasFinished = false;
  let isDisposed = false;
  let timer: { cancel(): void } | undefined;

  source.on("data", (data: Buffer) => {
    receivedBytes += data.length;
    reach(receivedMilestones, receivedBytes);
    if (conditions.flow === "drop") return;
    const delayMs = (conditions.delayMs ?? 0) + random() * (conditions.jitterMs ?? 0);
    lastDueAtMs = Math.max(lastDueAtMs, performance.now() + delayMs);
    queue.push({ data, dueAtMs: lastDueAtMs });
    queuedBytes += data.length;
    advance();
  });
  source.on("end", () => {
    hasEnded = true;
    advance();
  });
  destination.on("drain", () => {
    isFull = false;
    advance();
  });

  /** Does all that can be done now, and arranges to be called when more can. */
  function advance(): void {
    if (isDisposed) return;
    timer?.cancel();
    timer = undefined;
    while (queue.length > 0 && !isFull && flow() === "pass") {
      const waitMs = forwardHead();
      if (waitMs > 0) {
        timer = afterRealMs(Math.max(1, waitMs), advance);
        break;
      }
      if (isDisposed) return;
    }
    if (hasEnded && queue.length === 0 && flow() === "pass") finish();
    if (flow() === "stall" || queuedBytes > maxQueuedBytes()) source.pause();
    else source.resume();
  }

  function maxQueuedBytes(): number {
    const isOnlyDelayed = conditions.bytesPerSecond === undefined && (conditions.delayMs ?? 0) > 0;
    return isOnlyDelayed ? MAX_UNDER_WAY_BYTES : MAX_QUEUED_BYTES;
  }

  /** Forwards what may go of the first chunk; returns how long to wait when nothing may. */
  function forwardHead(): number {
    const head = queue[0] as Chunk;
    const nowMs = performance.now();
    if (head.dueAtMs > nowMs) return head.dueAtMs - nowMs;
    let size = head.data.length;
    const rate = conditions.bytesPerSecond;
    if (rate !== undefined) {
      const burst = Math.max(1, rate * BURST_SECONDS);
      tokens = Math.min(burst, tokens + ((nowMs - tokensAtMs) / 1000) * rate);
      tokensAtMs = nowMs;
      const wanted = Math.min(size, burst);
      if (tokens < wanted) return ((wanted - tokens) / rate) * 1000;
      size = Math.min(size, Math.max(1, Math.floor(tokens)));
      tokens -= size;
    }
    write(head, Math.min(size, bytesUntilCut()));
    cutIfDue();
    return 0;
  }

  function bytesUntilCut(): number {
    return Math.max(0, (conditions.cutAfterBytes ?? Infinity) - forwardedBytes);
  }

  function cutIfDue(): void {
    if (bytesUntilCut() === 0) cut(conditions.cutWith ?? "reset");
  }

  function write(head: Chunk, size: number): void {
    const data = head.data.subarray(0, size);
    if (size === head.data.length) queue.shift();
    else head.data = head.data.subarray(size);
    queuedBytes -= size;
    forwardedBytes += size;
    if (!hasFinished && destination.writable) isFull = !destination.write(data);
    reach(forwardedMilestones, forwardedBytes);
  }

  function finish(): void {
    if (hasFinished) return;
    hasFinished = true;
    destination.end();
  }

  function flow(): Flow {
    return conditions.flow ?? "pass";
  }

  const link: FaultLink = {
    get conditions() {
      return conditions;
    },
    get receivedBytes() {
      return receivedBytes;
    },
    get forwardedBytes() {
      return forwardedBytes;
    },
    set(changed) {
      conditions = { ...conditions, ...changed };
      if (conditions.flow === "drop") discardQueue();
      // Not again for every later change: a cut into silence leaves the connection in place.
      if (changed.cutAfterBytes !== undefined) cutIfDue();
      advance();
      onChange();
    },
    clear() {
      conditions = {};
      for (const chunk of queue) chunk.dueAtMs = 0;
      lastDueAtMs = 0;
      advance();
      onChange();
    },
    halfClose: finish,
    forwarded: (bytes) => milestone(forwardedMilestones, bytes, forwardedBytes),
    received: (bytes) => milestone(receivedMilestones, bytes, receivedBytes),
  };

  function discardQueue(): void {
    queue.length = 0;
    queuedBytes = 0;
  }

  return {
    link,
    dispose() {
      isDisposed = true;
      timer?.cancel();
      discardQueue();
    },
  };
}

function milestone(waiting: Set<Milestone>, bytes: number, soFar: number): Promise<void> {
  if (soFar >= bytes) return Promise.resolve();
  return new Promise((resolve) => waiting.add({ bytes, resolve }));
}

function reach(waiting: Set<Milestone>, soFar: number): void {
  for (const entry of waiting) {
    if (soFar < entry.bytes) continue;
    waiting.delete(entry);
    entry.resolve();
  }
}
