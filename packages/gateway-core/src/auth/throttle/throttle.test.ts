import fc from "fast-check";
import { expect, test } from "vitest";
import { networkOf } from "./network-of.ts";
import { pauseMs } from "./pause.ts";
import { type Claimant, type SecretKind, createThrottle } from "./throttle.ts";
import {
  type ThrottleOptions,
  defaultThrottle,
  resolveThrottleOptions,
} from "./throttle-options.ts";

const guesser: Claimant = { address: "192.0.2.7", identity: "cli", isPaired: false };
const local: Claimant = { ...guesser, address: "127.0.0.1" };

/** Fails until the next failure costs so many milliseconds, far enough apart for the ceiling. */
function failUntilPaused({ clock, throttle }: Started, claimant: Claimant, kind: SecretKind): void {
  for (let n = 0; n < 4; n += 1) {
    clock.now += 1_000;
    throttle.failed(claimant, kind);
  }
}

function start(options: Partial<ThrottleOptions> = {}) {
  const clock = { now: 1_000_000 };
  return { clock, throttle: createThrottle(options, { now: () => clock.now }) };
}

type Started = ReturnType<typeof start>;

/** Tries as often as it may for so long, and says how many tries were looked at. */
function guess(
  { clock, throttle }: Started,
  claimants: readonly Claimant[],
  forMs: number,
): number {
  const end = clock.now + forMs;
  let looked = 0;
  for (; clock.now < end; clock.now += 10) {
    for (const claimant of claimants) {
      if (throttle.waitMs(claimant, "shared-secret") > 0) continue;
      looked += 1;
      throttle.failed(claimant, "shared-secret");
    }
  }
  return looked;
}

test.each([
  ["127.0.0.1", "loopback"],
  ["::1", "loopback"],
  ["::ffff:127.0.0.1", "loopback"],
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["64:ff9b::192.0.2.33", "64:ff9b:0:0::/64"],
  [undefined, "unknown"],
])("the network of %s is %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("three failures are free, then the pause grows with each, to five seconds, and after ten failures to five minutes", () => {
  const pause = (failures: number, isExempt = false): number =>
    pauseMs(failures, { ...defaultThrottle, isExempt });
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => pause(n))).toEqual([
    0, 0, 0, 250, 500, 1_000, 2_000, 4_000, 5_000,
  ]);
  expect([10, 11, 16, 1_000_000].map((n) => pause(n))).toEqual([10_000, 20_000, 300_000, 300_000]);
  expect(pause(1_000_000, true)).toBe(5_000);
});

test("a try within the pause is not looked at and does not make it longer", () => {
  const started = start();
  const { clock, throttle } = started;
  failUntilPaused(started, guesser, "shared-secret");
  for (let n = 0; n < 100; n += 1)
    expect(throttle.waitMs(guesser, "shared-secret")).toBeGreaterThan(0);
  clock.now += 250;
  expect(throttle.waitMs(guesser, "shared-secret")).toBe(0);
});

test("pain 19: loopback is slowed, never locked", () => {
  const started = start();
  guess(started, [local], 3_600_000);
  expect(started.throttle.waitMs(local, "shared-secret")).toBeLessThanOrEqual(5_000);
});

test("without the exemption a peer of this machine waits as any other", () => {
  const started = start({ exemptLoopback: false });
  guess(started, [local], 3_600_000);
  started.clock.now += 1;
  expect(started.throttle.waitMs(local, "shared-secret")).toBeGreaterThan(5_000);
});

test("pain 19: a paired device is not touched by what others do behind its address, nor by the ceiling", () => {
  const started = start();
  const crowd = Array.from({ length: 50 }, (_, n) => ({ ...guesser, identity: `guesser ${n}` }));
  guess(started, crowd, 60_000);
  const paired = { ...guesser, identity: "a device", isPaired: true };
  expect(started.throttle.waitMs(paired, "shared-secret")).toBe(0);
  // Its own failures slow it, wherever it goes.
  failUntilPaused(started, paired, "shared-secret");
  expect(started.throttle.waitMs({ ...paired, address: "198.51.100.1" }, "shared-secret")).toBe(
    250,
  );
});

test("an honest identity behind the address of a guesser waits seconds at most", () => {
  const started = start();
  guess(started, [guesser], 3_600_000);
  const neighbour = { ...guesser, identity: "another" };
  expect(started.throttle.waitMs(neighbour, "shared-secret")).toBeLessThanOrEqual(5_000);
});

test("fifty connections that guess for ten seconds have at most five tries a second looked at", () => {
  for (const crowd of [
    Array.from({ length: 50 }, () => guesser),
    Array.from({ length: 50 }, () => local),
    Array.from({ length: 50 }, (_, n) => ({ ...guesser, identity: `guesser ${n}` })),
    Array.from({ length: 50 }, (_, n) => ({ ...guesser, address: `192.0.2.${n}` })),
  ])
    expect(guess(start(), crowd, 10_000)).toBeLessThanOrEqual(50);
});

test("no second sees more guesses than the ceiling, from however many networks they come", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.record({ host: fc.nat(50_000), pause: fc.nat(80) }), { maxLength: 400 }),
      (maxGuessesPerSecond, tries) => {
        const { clock, throttle } = start({ maxGuessesPerSecond });
        const looked: number[] = [];
        for (const { host, pause } of tries) {
          clock.now += pause;
          const claimant = { ...guesser, address: `10.1.${host >> 8}.${host & 255}` };
          if (throttle.waitMs(claimant, "shared-secret") > 0) continue;
          looked.push(clock.now);
          throttle.failed(claimant, "shared-secret");
          expect(looked.filter((at) => clock.now - at < 1_000).length).toBeLessThanOrEqual(
            maxGuessesPerSecond,
          );
        }
      },
    ),
  );
});

test("a crowd of guessers leaves a share of the ceiling to those who have not failed", () => {
  const started = start();
  // Each of them has failed before, and each may try again.
  const crowd = Array.from({ length: 20 }, (_, n) => ({ ...guesser, address: `192.0.2.${n}` }));
  guess(started, crowd, 30_000);
  guess(started, crowd, 990);
  expect(started.throttle.waitMs({ ...guesser, address: "203.0.113.9" }, "shared-secret")).toBe(0);
});

test("a success forgets the failures of its own identity", () => {
  const started = start();
  const { throttle, clock } = started;
  failUntilPaused(started, guesser, "shared-secret");
  clock.now += 1_000;
  throttle.succeeded(guesser, "shared-secret");
  throttle.failed(guesser, "shared-secret");
  expect(throttle.waitMs(guesser, "shared-secret")).toBe(0);
});

test("secrets of one kind do not pause those of another", () => {
  const started = start();
  failUntilPaused(started, guesser, "shared-secret");
  expect(started.throttle.waitMs(guesser, "shared-secret")).toBe(250);
  expect(started.throttle.waitMs(guesser, "bootstrap-token")).toBe(0);
});

test("a failure is forgotten when the window after its pause is over", () => {
  const { throttle, clock } = start();
  for (let n = 0; n < 7; n += 1) throttle.failed(guesser, "shared-secret");
  clock.now += 2_000 + 60_001;
  throttle.failed(guesser, "shared-secret");
  expect(throttle.waitMs(guesser, "shared-secret")).toBe(0);
});

test("the table holds ten thousand entries, and forgets whoever was unheard of for longest", () => {
  const { throttle } = start();
  for (let n = 0; n < 20_000; n += 1)
    throttle.failed(
      { ...guesser, address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` },
      "shared-secret",
    );
  expect(throttle.size).toBe(10_000);
});

test("a flood of handshakes is turned away only from another machine that has sent wrong secrets", () => {
  const { throttle, clock } = start();
  const flood = (address: string): number[] =>
    Array.from({ length: 60 }, () => throttle.floodMs(address));
  expect(flood("192.0.2.7").every((ms) => ms === 0)).toBe(true);
  throttle.failed(guesser, "shared-secret");
  throttle.failed(local, "shared-secret");
  expect(flood("192.0.2.7").filter((ms) => ms > 0)).toHaveLength(10);
  expect(flood("127.0.0.1").every((ms) => ms === 0)).toBe(true);
  clock.now += 1_000;
  expect(throttle.floodMs("192.0.2.7")).toBe(0);
});

test("limits can be changed while it runs", () => {
  const { throttle } = start();
  throttle.configure({ maxGuessesPerSecond: 1 });
  throttle.failed(guesser, "shared-secret");
  expect(throttle.waitMs({ ...guesser, address: "198.51.100.1" }, "shared-secret")).toBe(1_000);
});

test.each(["maxAttempts", "windowMs", "lockoutMs", "maxGuessesPerSecond", "maxEntries"] as const)(
  "pain 19: %s of 0, below 0, or no whole number is refused by name",
  (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, Infinity])
      expect(() => resolveThrottleOptions({ [name]: value })).toThrow(
        `throttle.${name} must be a whole number above 0`,
      );
  },
);

test("pain 25: a clock that is set back prolongs no pause, and one that is set ahead keeps nobody out", () => {
  for (const jumpMs of [-365 * 24 * 3_600_000, 365 * 24 * 3_600_000]) {
    const { clock, throttle } = start();
    clock.now = Date.UTC(2026, 0, 1);
    for (let n = 0; n < 30; n += 1) {
      clock.now += 1_000;
      throttle.failed(guesser, "shared-secret");
    }
    clock.now += jumpMs;
    expect(throttle.waitMs(guesser, "shared-secret")).toBeLessThanOrEqual(300_000);
    clock.now += 300_000;
    expect(throttle.waitMs(guesser, "shared-secret")).toBe(0);
    clock.now += 60_001;
    throttle.failed(guesser, "shared-secret");
    expect(throttle.waitMs(guesser, "shared-secret")).toBe(0);
  }
});

test("strangers with ever new names leave this machine a guess, and so its right secret", () => {
  const { clock, throttle } = start();
  for (let n = 0; n < 50; n += 1, clock.now += 10) {
    const stranger = { address: `192.0.2.${n}`, identity: `stranger ${n}`, isPaired: false };
    if (throttle.waitMs(stranger, "shared-secret") === 0)
      throttle.failed(stranger, "shared-secret");
    expect(throttle.waitMs(local, "shared-secret")).toBe(0);
  }
});
