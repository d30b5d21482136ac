/** A deadline that stands still while a person is asked. */
export interface ConnectClock {
  /** Stops it; the function that is returned lets it go on. */
  pause(): () => void;
  clear(): void;
}

/** Calls `expired` after `timeoutMs` of working time. */
export function startConnectClock(timeoutMs: number, expired: () => void): ConnectClock {
  let leftMs = timeoutMs;
  let pauses = 0;
  let isCleared = false;
  let startedAt = performance.now();
  let timer = setTimeout(expired, leftMs);
  return {
    pause() {
      if (pauses === 0) {
        clearTimeout(timer);
        leftMs = Math.max(0, leftMs - (performance.now() - startedAt));
      }
      pauses += 1;
      let isPaused = true;
      return () => {
        if (!isPaused) return;
        isPaused = false;
        pauses -= 1;
        if (pauses > 0 || isCleared) return;
        startedAt = performance.now();
        timer = setTimeout(expired, leftMs);
      };
    },
    clear() {
      isCleared = true;
      clearTimeout(timer);
    },
  };
}
