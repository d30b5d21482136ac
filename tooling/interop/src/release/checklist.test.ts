import { expect, test } from "vitest";
import { createChecklist, isClean, need, PublishedFault } from "./checklist.ts";
import { CommandError } from "./program.ts";
import { formatReport } from "./report.ts";

test("steps go on after one that failed, and each says how it ended", async () => {
  let nowMs = 0;
  const seen: string[] = [];
  const checklist = createChecklist({
    now: () => (nowMs += 500),
    onReport: ({ name, outcome }) => seen.push(`${name}: ${outcome}`),
  });
  const value = await checklist.step("ours", "first", () => Promise.resolve(7));
  const nothing = await checklist.step<number>("ours", "second", () =>
    Promise.reject(new CommandError("ended with 1", "what it wrote")),
  );
  await checklist.step("ours", "third", async () => need(nothing, "number"));
  await checklist.step("theirs", "fourth", () =>
    Promise.reject(new PublishedFault("fell over", "its stack")),
  );

  expect(value).toBe(7);
  expect(nothing).toBeUndefined();
  expect(seen).toEqual(["first: passed", "second: failed", "third: skipped", "fourth: published"]);
  expect(checklist.reports).toMatchObject([
    { half: "ours", durationMs: 500 },
    { message: "ended with 1", output: "what it wrote" },
    { message: "there is no number" },
    { half: "theirs", message: "fell over", output: "its stack" },
  ]);
  expect(isClean(checklist.reports)).toBe(false);
  expect(isClean(checklist.reports.slice(0, 1))).toBe(true);
  expect(isClean([])).toBe(false);
});

test("the report shows what did not pass with the output that belongs to it", async () => {
  const checklist = createChecklist({ now: () => 0 });
  await checklist.step("ours", "health", () => Promise.resolve());
  await checklist.step("theirs", "status", () =>
    Promise.reject(new PublishedFault("fell over", "line 1\nline 2\n")),
  );
  const text = formatReport(checklist.reports);
  expect(text).toContain("PUBLISHED: status\n  fell over\n  | line 1\n  | line 2");
  expect(text).toContain("1 of 2 steps passed in 0.00 s; 1 failed on the published side");
});
