import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLogger } from "../../logger.ts";
import { createFailureLog } from "./failure-log.ts";

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }));
afterEach(() => void vi.useRealTimers());

function start() {
  const warn = vi.fn();
  return { warn, log: createFailureLog({ logger: { ...silentLogger, warn }, now: Date.now }) };
}

const failure = { address: "192.0.2.7", identity: "cli", reason: "token_mismatch" };

test("identical failures collapse: the first at once, then one line a minute with count, first and last", () => {
  const { warn, log } = start();
  for (let n = 0; n < 100; n += 1) {
    log.add(failure);
    vi.advanceTimersByTime(100);
  }
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[0]).toEqual({
    ...failure,
    count: 1,
    first: "2026-01-01T00:00:00.000Z",
    last: "2026-01-01T00:00:00.000Z",
  });
  vi.advanceTimersByTime(60_000);
  expect(warn).toHaveBeenCalledTimes(2);
  expect(warn.mock.calls[1]?.[0]).toEqual({
    ...failure,
    count: 99,
    first: "2026-01-01T00:00:00.100Z",
    last: "2026-01-01T00:00:09.900Z",
  });
});

test("a failure that does not come again is told once, and leaves no timer", () => {
  const { warn, log } = start();
  log.add(failure);
  vi.advanceTimersByTime(10 * 60_000);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("a storm of ever new identities is a bounded number of lines", () => {
  const { warn, log } = start();
  for (let n = 0; n < 10_000; n += 1) log.add({ ...failure, identity: `device ${n}` });
  expect(warn.mock.calls.length).toBeLessThanOrEqual(51);
  log.close();
  expect(warn.mock.calls.at(-1)?.[0]).toMatchObject({ identity: "others", count: 9_949 });
  expect(vi.getTimerCount()).toBe(0);
});
