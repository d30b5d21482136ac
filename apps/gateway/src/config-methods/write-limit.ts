import { type Caller, RequestError } from "@openclaw/gateway-core";

/** Writes that one client may make within a window. */
const MAX_WRITES = 30;
const WINDOW_MS = 60_000;
/** Clients that are remembered; the one that wrote longest ago gives way. */
const MAX_CLIENTS = 1_000;

/** Counts the writes of each client. */
export interface WriteLimit {
  /** Counts one more. @throws {RequestError} `UNAVAILABLE`, retryable, where that is too many */
  take(method: string, caller: Caller): void;
}

/** Thirty writes a minute for each device, and as many for all who come without one. */
export function createWriteLimit(now: () => number): WriteLimit {
  const writes = new Map<string, number[]>();
  return {
    take(method, { deviceId = "" }) {
      const at = now();
      const recent = (writes.get(deviceId) ?? []).filter((one) => at - one < WINDOW_MS);
      const [oldest = at] = recent;
      if (recent.length >= MAX_WRITES) {
        throw new RequestError("UNAVAILABLE", `too many ${method} requests; retry later`, {
          details: { method, limit: `${MAX_WRITES} per ${WINDOW_MS / 1_000}s` },
          retryable: true,
          retryAfterMs: oldest + WINDOW_MS - at,
        });
      }
      writes.delete(deviceId);
      writes.set(deviceId, [...recent, at]);
      const [first] = writes.keys();
      if (writes.size > MAX_CLIENTS && first !== undefined) writes.delete(first);
    },
  };
}
