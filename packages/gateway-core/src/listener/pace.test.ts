import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createPace } from "./pace.ts";

test("pieces run at once until the budget of a turn is spent, then in later turns, in order", async () => {
  let now = 0;
  const pace = createPace({ budgetMs: 2, now: () => now });
  const ran: number[] = [];
  const piece = (name: number) => () => {
    ran.push(name);
    now += 1;
  };
  for (const name of [1, 2, 3, 4, 5]) pace(piece(name));
  expect(ran).toEqual([1, 2]);
  for (let turns = 0; ran.length < 5 && turns < 10; turns += 1) {
    const before = ran.length;
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
    expect(ran.length - before).toBeLessThanOrEqual(2);
  }
  expect(ran).toEqual([1, 2, 3, 4, 5]);
});

test("a piece that throws costs its time and stops nobody else", async () => {
  let now = 0;
  const pace = createPace({ budgetMs: 2, now: () => now });
  expect(() =>
    pace(() => {
      now += 5;
      throw new Error("a defect");
    }),
  ).toThrow("a defect");
  let hasRun = false;
  pace(() => (hasRun = true));
  expect(hasRun).toBe(false);
  await nextTurn();
  await nextTurn();
  expect(hasRun).toBe(true);
});
