import type { WireClient } from "./wire-client.ts";

/** Text of the request number `index`; the number must be in its id, and in its key if it has one. */
export type RequestText = (index: number) => string;

/**
 * Sends `count` requests one after the other.
 *
 * @returns how long each took, in milliseconds.
 */
export function measureLatencies(
  client: WireClient,
  request: RequestText,
  count: number,
): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const latencies: number[] = [];
    let sentAt = 0;
    const next = (): void => {
      const text = request(latencies.length);
      sentAt = performance.now();
      client.send(text);
    };
    client.onResponse = (failure) => {
      const tookMs = performance.now() - sentAt;
      if (failure) {
        reject(failure);
        return;
      }
      latencies.push(tookMs);
      if (latencies.length < count) next();
      else resolve(latencies);
    };
    next();
  });
}

/**
 * Keeps `inFlight` requests open until `count` were answered.
 *
 * @returns answers a second.
 */
export function measureRate(
  client: WireClient,
  request: RequestText,
  { count, inFlight }: { count: number; inFlight: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let answered = 0;
    const startedAt = performance.now();
    client.onResponse = (failure) => {
      if (failure) {
        reject(failure);
        return;
      }
      answered += 1;
      if (answered === count) resolve((count / (performance.now() - startedAt)) * 1000);
      else if (sent < count) client.send(request(sent++));
    };
    while (sent < Math.min(inFlight, count)) client.send(request(sent++));
  });
}
