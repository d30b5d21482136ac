import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import type { CarrierReadyFunction, DialFunction } from "../../src/index.ts";

/** A tunnel that goes and comes as a test says. What waits for it waits, as in a real one. */
export interface FakeCarrier {
  readonly dial: DialFunction;
  readonly ready: CarrierReadyFunction;
  readonly dials: number;
  readonly dialsWhileAway: number;
  /** Dials that are under way. */
  readonly pending: number;
  /** Streams that nobody has destroyed. */
  readonly open: number;
  /** Who waits for it to be ready. */
  readonly waiters: number;
  /** Breaks every stream. */
  leave(): void;
  comeBack(): void;
  /** Whoever waits for it is not told. */
  forget(): void;
  /** Whoever waits for it is told that there is no hope. */
  die(cause: Error): void;
  /** Dials fail with this from now on. */
  fail(cause: Error | undefined): void;
}

interface Waiter {
  resolve(): void;
  reject(cause: unknown): void;
}

export function createFakeCarrier(): FakeCarrier {
  const dialling = new Set<Waiter>();
  const waiting = new Set<Waiter>();
  const streams = new Set<Duplex>();
  let isThere = true;
  let failure: Error | undefined;
  let dials = 0;
  let dialsWhileAway = 0;

  function waitIn(place: Set<Waiter>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      place.add(waiter);
      signal.addEventListener("abort", () => {
        if (place.delete(waiter)) reject(signal.reason as Error);
      });
    });
  }

  function release(place: Set<Waiter>, cause?: Error): void {
    for (const waiter of place) {
      if (cause) waiter.reject(cause);
      else waiter.resolve();
    }
    place.clear();
  }

  return {
    async dial(_, { signal }) {
      dials += 1;
      if (!isThere) {
        dialsWhileAway += 1;
        await waitIn(dialling, signal);
      }
      if (failure) throw failure;
      const [near] = duplexPair();
      streams.add(near);
      near.once("close", () => streams.delete(near));
      return near;
    },
    ready: (signal) => (isThere ? Promise.resolve() : waitIn(waiting, signal)),
    get dials() {
      return dials;
    },
    get dialsWhileAway() {
      return dialsWhileAway;
    },
    get pending() {
      return dialling.size;
    },
    get open() {
      return streams.size;
    },
    get waiters() {
      return waiting.size;
    },
    leave() {
      isThere = false;
      for (const stream of streams) stream.destroy();
    },
    comeBack() {
      isThere = true;
      release(dialling);
      release(waiting);
    },
    forget: () => waiting.clear(),
    die: (cause) => release(waiting, cause),
    fail(cause) {
      failure = cause;
    },
  };
}
