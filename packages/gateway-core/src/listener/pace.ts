/**
 * Runs the work of handshakes a little at a time. What connected peers ask for is looked at between,
 * however many strangers knock at once. While there is little to do, it is done at once.
 */
export type Pace = (task: () => void) => void;

/** So long handshakes may keep the event loop busy in one turn. */
const BUDGET_MS = 2;

export function createPace({
  budgetMs = BUDGET_MS,
  now = () => performance.now(),
}: { budgetMs?: number; now?: () => number } = {}): Pace {
  const queue: (() => void)[] = [];
  let spentMs = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(turn);
  }

  function run(task: () => void): void {
    const startedAt = now();
    try {
      task();
    } finally {
      spentMs += now() - startedAt;
    }
  }

  function turn(): void {
    isScheduled = false;
    spentMs = 0;
    while (spentMs < budgetMs) {
      const task = queue.shift();
      if (task === undefined) return;
      schedule();
      run(task);
    }
  }

  return (task) => {
    schedule();
    if (spentMs < budgetMs && queue.length === 0) run(task);
    else queue.push(task);
  };
}
