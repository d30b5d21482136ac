import { expect, test } from "vitest";
import { createIdentityCache, defaultIdentityCacheLimits } from "./identity-cache.ts";
import type { TailnetIdentity } from "./tailnet-identity.ts";

/** A lookup whose answers come when the test says so. */
function heldLookup() {
  const asked: string[] = [];
  const answers: ((identity: TailnetIdentity | undefined) => void)[] = [];
  const lookup = (address: string): Promise<TailnetIdentity | undefined> => {
    asked.push(address);
    return new Promise((resolve) => {
      answers.push(resolve);
    });
  };
  return { asked, answers, lookup };
}

test("asks for few at the same time, lets some wait, and turns the rest away", async () => {
  const { asked, answers, lookup } = heldLookup();
  const limits = { ...defaultIdentityCacheLimits, maxRunning: 2, maxWaiting: 1 };
  const whois = createIdentityCache(lookup, limits, () => 0);
  const first = whois("a");
  const second = whois("b");
  const third = whois("c");
  expect(await whois("d")).toBeUndefined();
  expect(asked).toEqual(["a", "b"]);
  answers[0]?.({ login: "a@example.com" });
  expect(await first).toEqual({ login: "a@example.com" });
  await expect.poll(() => asked).toEqual(["a", "b", "c"]);
  answers[1]?.(undefined);
  answers[2]?.({ login: "c@example.com" });
  expect(await second).toBeUndefined();
  expect(await third).toEqual({ login: "c@example.com" });
  // Turned away is not remembered, and every place is free again.
  const again = [whois("d"), whois("e")];
  expect(asked).toEqual(["a", "b", "c", "d", "e"]);
  for (const answer of answers.slice(3)) answer(undefined);
  expect(await Promise.all(again)).toEqual([undefined, undefined]);
});

test("pain 25: a clock that is set back does not make an answer hold longer", async () => {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const asked: string[] = [];
  const whois = createIdentityCache(
    (address) => {
      asked.push(address);
      return Promise.resolve({ login: "a@example.com" });
    },
    defaultIdentityCacheLimits,
    () => clock.now,
  );
  await whois("a");
  clock.now -= 365 * 24 * 3_600_000;
  await whois("a");
  clock.now += 60_000;
  await whois("a");
  expect(asked.length).toBeGreaterThan(1);
});
