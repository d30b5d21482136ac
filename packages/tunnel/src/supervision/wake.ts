const LOOK_EVERY_MS = 2_000;
/** Less is a correction of the clock or a busy machine. */
const SLEPT_MS = 3_000;

/**
 * Calls `woke` after this machine has slept: the clock of the wall goes on meanwhile, the monotonic
 * one stands still, and where it does not, a timer is far too late.
 *
 * @returns the function that ends it
 */
export function watchForWake(woke: () => void): () => void {
  let wall = Date.now();
  let monotonic = performance.now();
  const timer = setInterval(() => {
    const wallMs = Date.now() - wall;
    const monotonicMs = performance.now() - monotonic;
    wall += wallMs;
    monotonic += monotonicMs;
    if (wallMs - monotonicMs >= SLEPT_MS || monotonicMs >= LOOK_EVERY_MS + SLEPT_MS) woke();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
