import type { Logger } from "@openclaw/app-kit";

/** Signals that ask for a restart within the process. */
export const RESTART_SIGNALS = ["SIGUSR1", "SIGUSR2"] as const;

/** What a process is to this file. */
export interface SignalSource {
  on(name: (typeof RESTART_SIGNALS)[number], listener: () => void): unknown;
  off(name: (typeof RESTART_SIGNALS)[number], listener: () => void): unknown;
}

export interface RestartSignalOptions {
  source: SignalSource;
  /** Whether the config allows it (`commands.restart`); asked at each signal. */
  isAllowed: () => boolean;
  restart: (signal: string) => void;
  logger: Pick<Logger, "info" | "warn">;
  /** @default process.platform */
  platform?: string;
}

/**
 * Restarts at SIGUSR1 and SIGUSR2 where the config allows it; otherwise they are only logged. Returns
 * what takes the listeners away. Windows has no such signals.
 */
export function listenForRestart({
  source,
  isAllowed,
  restart,
  logger,
  platform = process.platform,
}: RestartSignalOptions): () => void {
  if (platform === "win32") return () => {};
  const listeners = RESTART_SIGNALS.map((name) => {
    const listener = (): void => {
      if (isAllowed()) {
        logger.info({ signal: name }, "restart asked for");
        restart(name);
      } else logger.warn({ signal: name }, "restart refused: commands.restart is not true");
    };
    // Also keeps Node from opening a debugger at SIGUSR1.
    source.on(name, listener);
    return [name, listener] as const;
  });
  return () => {
    for (const [name, listener] of listeners) source.off(name, listener);
  };
}
