import { describe, expect, test } from "vitest";
import { CHANNEL_WINDOW_BYTES, type WindowPolicy } from "../../ssh2/window-policy.ts";
import { createWindowShares } from "./window-shares.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Shares on a clock of the test's own. */
function sharesOverTime(): { shares: WindowPolicy; wait(ms: number): void } {
  let time = 0;
  return { shares: createWindowShares(() => time), wait: (ms) => void (time += ms) };
}

/** Opens channels whose confirmations take a round trip each; returns the windows they begin with. */
function openMany(count: number, roundTripMs: number): ReturnType<typeof opened> {
  return opened(sharesOverTime(), count, roundTripMs);
}

function opened(
  { shares, wait }: ReturnType<typeof sharesOverTime>,
  count: number,
  roundTripMs: number,
): { shares: WindowPolicy; wait(ms: number): void; windows: number[] } {
  const channels = Array.from({ length: count }, (_, channel) => channel);
  const windows = channels.map((channel) => shares.begin(channel));
  wait(roundTripMs);
  for (const channel of channels) shares.confirmed(channel);
  return { shares, wait, windows };
}

/** Reads each channel to the end of its window once; returns the windows they have then. */
function readAll(shares: WindowPolicy, windows: readonly number[]): number[] {
  return windows.map((bytes, channel) => shares.resize(channel, bytes, bytes));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

describe("the windows of the channels of a master", () => {
  test.each([1, 4, 8])(
    "are half a MiB together where the far side is near (%i in use)",
    (count) => {
      const { shares, windows } = openMany(count, 0);
      expect(sum(readAll(shares, windows))).toBe(512 * KIB);
    },
  );

  test("are never smaller than two packets, however many share", () => {
    const { shares, windows } = openMany(100, 0);
    expect(windows.every((bytes) => bytes >= 64 * KIB)).toBe(true);
    expect(new Set(readAll(shares, windows))).toEqual(new Set([64 * KIB]));
  });

  test.each([
    { roundTripMs: 4, count: 1, windowBytes: 768 * KIB },
    { roundTripMs: 50, count: 1, windowBytes: CHANNEL_WINDOW_BYTES },
    { roundTripMs: 50, count: 4, windowBytes: 928 * KIB },
    { roundTripMs: 500, count: 16, windowBytes: MIB },
  ])(
    "are $windowBytes bytes each over a way of $roundTripMs ms ($count in use)",
    ({ roundTripMs, count, windowBytes }) => {
      const { shares, windows } = openMany(count, roundTripMs);
      expect(new Set(readAll(shares, windows))).toEqual(new Set([windowBytes]));
    },
  );

  test("shrink only by what was read", () => {
    const { shares } = openMany(8, 0);
    expect(shares.resize(0, MIB, 100 * KIB)).toBe(MIB - 100 * KIB);
  });

  test("grow when the others have been idle for a second, or are gone", () => {
    const { shares, wait } = openMany(4, 0);
    wait(999);
    expect(shares.resize(0, 128 * KIB, 128 * KIB)).toBe(128 * KIB);
    shares.end(1);
    expect(shares.resize(0, 128 * KIB, 128 * KIB)).toBe(Math.floor((512 * KIB) / 3));
    wait(1);
    expect(shares.resize(0, 128 * KIB, 128 * KIB)).toBe(512 * KIB);
  });

  test("come to less than what ssh can hold, even when idle ones keep theirs", () => {
    const time = sharesOverTime();
    const { shares, wait } = time;
    const windows: number[] = [];
    for (let channel = 0; channel < 500; channel += 1) {
      const first = shares.begin(channel);
      wait(1000);
      shares.confirmed(channel);
      windows[channel] = shares.resize(channel, first, first);
    }
    expect(windows[0]).toBe(CHANNEL_WINDOW_BYTES);
    expect(windows[499]).toBe(64 * KIB);
    expect(sum(windows)).toBeLessThan(128 * MIB);
    for (let channel = 0; channel < 100; channel += 1) shares.end(channel);
    expect(shares.resize(499, 64 * KIB, 64 * KIB)).toBe(CHANNEL_WINDOW_BYTES);
  });
});
