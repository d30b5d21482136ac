import { expect, test } from "vitest";
import { summarize } from "../lib/summary.mjs";

const green = { numPassedTests: 7, numFailedTests: 0, testResults: [] };

test("a green run exits with 0 and says how many tests passed", () => {
  const run = { report: green, checkExitCode: 0, testExitCode: 0 };
  expect(summarize(run)).toEqual({ notes: [], line: "7 passed, 0 failed", exitCode: 0 });
});

test.each([
  ["failed tests", { numFailedTests: 2 }, 0, 1, "7 passed, 2 failed"],
  ["a failed check", {}, 1, 0, "7 passed, 1 failed"],
  ["an error outside any test", {}, 0, 1, "7 passed, 1 failed"],
  [
    "a file that could not be loaded",
    { testResults: [{ name: "a.test.ts", status: "failed", assertionResults: [] }] },
    0,
    1,
    "7 passed, 1 failed",
  ],
])("%s are counted as failures", (_, change, checkExitCode, testExitCode, line) => {
  const report = { ...green, ...change };
  expect(summarize({ report, checkExitCode, testExitCode })).toMatchObject({ line, exitCode: 1 });
});

test("a run without a report has failed", () => {
  const run = { report: undefined, checkExitCode: 0, testExitCode: 127 };
  expect(summarize(run)).toMatchObject({ line: "0 passed, 1 failed", exitCode: 1 });
});
