import { DEFAULT_DEADLINE_MS, withDeadline } from "./deadline.ts";

/** Options of {@link Inbox.next}. */
export interface NextOptions {
  /** How long to wait for a match. @default 5_000 */
  deadlineMs?: number;
  /** Named in the error when nothing matched. @default "the next item" */
  what?: string;
}

/** Keeps what arrived, in order, until a test asks for it. */
export interface Inbox<T> {
  /** Everything that ever arrived, taken or not. */
  readonly received: readonly T[];
  /** What arrived and was not taken yet. */
  readonly pending: readonly T[];
  /** Adds an item; the oldest waiter it fits gets it. */
  push(item: T): void;
  /**
   * Takes the first item that fits, now or when it arrives.
   *
   * @throws {DeadlineError} naming what arrived instead.
   * @throws the reason given to {@link Inbox.end}, when nothing more can arrive.
   */
  next(match?: (item: T) => boolean, options?: NextOptions): Promise<T>;
  /** Nothing more will arrive: everyone who waits is told so at once. */
  end(reason: Error): void;
}

interface Waiter<T> {
  match: (item: T) => boolean;
  resolve(item: T): void;
  reject(reason: Error): void;
}

/** Creates an {@link Inbox}; `print` shortens an item for an error message. */
export function createInbox<T>(print: (item: T) => string = (item) => String(item)): Inbox<T> {
  const received: T[] = [];
  const pending: T[] = [];
  const waiters = new Set<Waiter<T>>();
  let ended: Error | undefined;

  function next(
    match: (item: T) => boolean = () => true,
    { deadlineMs = DEFAULT_DEADLINE_MS, what = "the next item" }: NextOptions = {},
  ): Promise<T> {
    const index = pending.findIndex((item) => match(item));
    if (index >= 0) return Promise.resolve(pending.splice(index, 1)[0] as T);
    if (ended) return Promise.reject(ended);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter: Waiter<T> = { match, resolve, reject };
    waiters.add(waiter);
    return withDeadline(promise, deadlineMs, () => {
      const seen = pending.slice(-8).map((item) => print(item));
      return `waiting for ${what}; not taken so far: ${seen.length > 0 ? seen.join(" ") : "nothing"}`;
    }).finally(() => waiters.delete(waiter));
  }

  return {
    received,
    pending,
    push(item) {
      received.push(item);
      for (const waiter of waiters) {
        if (!waiter.match(item)) continue;
        waiters.delete(waiter);
        waiter.resolve(item);
        return;
      }
      pending.push(item);
    },
    next,
    end(reason) {
      ended ??= reason;
      for (const waiter of waiters) waiter.reject(ended);
      waiters.clear();
    },
  };
}
