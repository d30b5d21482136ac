import type { Logger } from "../logger.ts";
import type { ForwardingProblem } from "./peer-address.ts";

/** One line for each source in so long, however often it tries. */
const INTERVAL_MS = 60_000;
/** Sources that are told apart; beyond them one line stands for all the others. */
const MAX_SOURCES = 50;

const HINTS: Readonly<Record<ForwardingProblem["reason"], string>> = {
  untrusted:
    "refused a request with proxy headers: if this is a proxy of yours, list its address in gateway.trustedProxies",
  unknown: "refused a request of a proxy that does not say whom it forwards for",
  contradiction: "refused a request whose X-Forwarded-For and Forwarded name different clients",
  malformed: "refused a request whose forwarding headers cannot be read",
};

/** Tells the log of proxies that are not trusted: a storm of refusals is one line a minute. */
export function createForwardingHint(options: {
  logger: Logger;
  now: () => number;
}): (problem: ForwardingProblem) => void {
  const told = new Map<string, { at: number; repeated: number }>();
  return ({ reason, socketAddress = "unknown" }) => {
    const at = options.now();
    let key = `${reason} ${socketAddress}`;
    if (!told.has(key) && told.size >= MAX_SOURCES) key = reason;
    const last = told.get(key);
    if (last && at - last.at < INTERVAL_MS) {
      last.repeated += 1;
      return;
    }
    if (told.size >= MAX_SOURCES) {
      for (const [source, { at: then }] of told) if (at - then >= INTERVAL_MS) told.delete(source);
    }
    told.set(key, { at, repeated: 0 });
    options.logger.warn({ address: socketAddress, repeated: last?.repeated ?? 0 }, HINTS[reason]);
  };
}
