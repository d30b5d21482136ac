/** A deadline that can stand still. */
export interface ConnectDeadline {
  /** Stops the clock while a person is asked, or goes on with what is left. */
  pause(isWaiting: boolean): void;
  clear(): void;
}

/** Calls `expired` after `timeoutMs` of working time. */
export function startConnectDeadline(timeoutMs: number, expired: () => void): ConnectDeadline {
  let leftMs = timeoutMs;
  let startedAt = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(expired, leftMs);
  let isCleared = false;
  return {
    pause(isWaiting) {
      // Also when an answer comes after the end.
      if (isCleared || isWaiting === (timer === undefined)) return;
      if (isWaiting) {
        clearTimeout(timer);
        timer = undefined;
        leftMs = Math.max(0, leftMs - (performance.now() - startedAt));
      } else {
        startedAt = performance.now();
        timer = setTimeout(expired, leftMs);
      }
    },
    clear() {
      isCleared = true;
      clearTimeout(timer);
    },
  };
}
