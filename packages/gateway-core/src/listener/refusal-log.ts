import type { Logger } from "../logger.ts";
import { plainText } from "../plain-text.ts";
import type { RefusedRequest } from "./request-rules.ts";

/** Tells the log of requests that were refused before anything was done for them. */
export type RefusalLog = (refused: RefusedRequest) => void;

/** One line for each kind and source in so long, however often it tries. */
const INTERVAL_MS = 60_000;
/** Sources that are told apart; beyond them one line of each kind stands for all the others. */
const MAX_SOURCES = 50;
/** What a peer says of itself is cut to this. */
const MAX_SHOWN_CHARS = 100;

/**
 * A browser hides from its page why it could not connect, and a proxy from its client, so the log is
 * where a person finds out. A storm of refusals is one line a minute.
 */
export function createRefusalLog(options: { logger: Logger; now: () => number }): RefusalLog {
  const told = new Map<string, { at: number; repeated: number }>();

  return ({ rejection, address = "unknown", browserOrigin, host }) => {
    const at = options.now();
    let key = `${rejection.type} ${address}`;
    if (!told.has(key) && told.size >= MAX_SOURCES) key = rejection.type;
    const last = told.get(key);
    // A clock that was set back begins a new interval.
    if (last && at >= last.at && at - last.at < INTERVAL_MS) {
      last.repeated += 1;
      return;
    }
    for (const [source, { at: then }] of told) {
      if (at < then || at - then >= INTERVAL_MS) told.delete(source);
    }
    told.set(key, { at, repeated: 0 });
    const shown = (text: string | undefined): string | undefined =>
      text === undefined ? undefined : plainText(text, MAX_SHOWN_CHARS);
    options.logger.warn(
      {
        address,
        origin: shown(browserOrigin),
        host: shown(host),
        status: rejection.status,
        repeated: last?.repeated ?? 0,
      },
      `refused a request: ${rejection.message}`,
    );
  };
}
