import type { AuthenticationCallbacks } from "../engine.ts";

/** A deadline that stands still while a person is asked. */
export interface ConnectDeadline {
  /** The callbacks, each of which stops the clock until it has answered. */
  readonly callbacks: AuthenticationCallbacks;
  clear(): void;
}

/** Calls `expired` after `timeoutMs` of working time. */
export function startConnectDeadline(
  timeoutMs: number,
  callbacks: AuthenticationCallbacks,
  expired: () => void,
): ConnectDeadline {
  let leftMs = timeoutMs;
  let asked = 0;
  let startedAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function run(): void {
    startedAt = performance.now();
    timer = setTimeout(expired, leftMs);
  }

  function pausing<A extends unknown[], R>(
    callback: ((...args: A) => Promise<R>) | undefined,
  ): ((...args: A) => Promise<R>) | undefined {
    if (callback === undefined) return undefined;
    return async (...args) => {
      if (asked === 0) {
        clearTimeout(timer);
        leftMs = Math.max(0, leftMs - (performance.now() - startedAt));
      }
      asked += 1;
      try {
        return await callback(...args);
      } finally {
        asked -= 1;
        if (asked === 0) run();
      }
    };
  }

  run();
  const passphrase = pausing(callbacks.passphrase);
  const password = pausing(callbacks.password);
  const keyboardInteractive = pausing(callbacks.keyboardInteractive);
  return {
    callbacks: {
      ...(passphrase && { passphrase }),
      ...(password && { password }),
      ...(keyboardInteractive && { keyboardInteractive }),
    },
    clear() {
      // Also when a callback answers later.
      asked = Number.POSITIVE_INFINITY;
      clearTimeout(timer);
    },
  };
}
