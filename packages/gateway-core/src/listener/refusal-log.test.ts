import { expect, test, vi } from "vitest";
import { silentLogger } from "../logger.ts";
import { createRefusalLog } from "./refusal-log.ts";

const refused = {
  rejection: { status: 403, type: "origin_not_allowed", message: "origin not allowed" },
  address: "192.0.2.7",
  browserOrigin: undefined,
  host: undefined,
};

test("a storm is one line a minute, also after the clock was set back", () => {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const warn = vi.fn();
  const log = createRefusalLog({ logger: { ...silentLogger, warn }, now: () => clock.now });
  for (let n = 0; n < 10; n += 1) log(refused);
  expect(warn).toHaveBeenCalledTimes(1);
  clock.now += 60_000;
  log(refused);
  expect(warn).toHaveBeenCalledTimes(2);
  expect(warn).toHaveBeenLastCalledWith(
    expect.objectContaining({ repeated: 9 }),
    expect.anything(),
  );
  clock.now -= 365 * 24 * 3_600_000;
  for (let n = 0; n < 10; n += 1) log(refused);
  expect(warn).toHaveBeenCalledTimes(3);
});

test("ever new sources take no more than a bounded number of lines", () => {
  const warn = vi.fn();
  const log = createRefusalLog({ logger: { ...silentLogger, warn }, now: () => 1 });
  for (let n = 0; n < 1_000; n += 1) log({ ...refused, address: `10.0.${n >> 8}.${n & 255}` });
  expect(warn.mock.calls.length).toBeLessThan(60);
});
