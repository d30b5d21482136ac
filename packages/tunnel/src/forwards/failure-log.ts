import type { Logger } from "../logger.ts";

/** The same cause is logged again after this long, with the number of those it stands for. */
const LOG_AGAIN_MS = 60_000;

/** Logs failures, one line for each cause, however many connections it hits. */
export type FailureLog = (error: unknown, message: string, fields: object) => void;

export function createFailureLog(logger: Logger): FailureLog {
  const logged = new Map<string, { at: number; unsaid: number }>();
  return (error, message, fields) => {
    const { code = "unknown" } = (error ?? {}) as { code?: string };
    const now = Date.now();
    const last = logged.get(code);
    if (last !== undefined && now - last.at < LOG_AGAIN_MS) {
      last.unsaid += 1;
      return;
    }
    logged.set(code, { at: now, unsaid: 0 });
    const repeated = last?.unsaid ?? 0;
    logger.warn({ ...fields, code, err: error, ...(repeated > 0 ? { repeated } : {}) }, message);
  };
}
