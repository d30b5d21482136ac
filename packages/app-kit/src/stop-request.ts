import type { ProgramIo, StopSignal } from "./program-io.ts";

/** The wait for someone who wants a foreground program to end. */
export interface StopRequest {
  /** Settles at the first signal or abort; never rejects. */
  readonly requested: Promise<StopSignal | "abort">;
  /** Takes the listeners away. */
  release(): void;
}

/** Listens for stop signals and for `signal`. Who sends a second signal does not want to wait. */
export function listenForStop(
  io: Pick<ProgramIo, "onSignal" | "terminate">,
  signal?: AbortSignal,
): StopRequest {
  const { promise, resolve } = Promise.withResolvers<StopSignal | "abort">();
  let isStopping = false;
  const offSignal = io.onSignal((name) => {
    if (isStopping) io.terminate(1);
    isStopping = true;
    resolve(name);
  });
  const onAbort = (): void => resolve("abort");
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return {
    requested: promise,
    release() {
      offSignal();
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

/** Options of {@link closeInTime}. */
export interface CloseInTimeOptions {
  io: Pick<ProgramIo, "terminate">;
  /** A close that takes longer is cut short, with exit code 1. */
  timeoutMs: number;
  /** Called before the process is ended. */
  onTimeout?: () => void;
}

/** Waits for `close`, but not for ever. */
export async function closeInTime(
  close: () => Promise<void>,
  { io, timeoutMs, onTimeout }: CloseInTimeOptions,
): Promise<void> {
  const deadline = setTimeout(() => {
    onTimeout?.();
    io.terminate(1);
  }, timeoutMs);
  deadline.unref();
  try {
    await close();
  } finally {
    clearTimeout(deadline);
  }
}
