/**
 * @typedef {object} TestReport vitest's JSON report, as far as it is read here
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {{ name: string, status: string, assertionResults: { status: string }[] }[]} testResults
 */

/**
 * Sums a CI run up. What failed without being a test counts as a failure too: a test file that
 * could not be loaded, an error outside any test, a failed check.
 *
 * @param {{ report: TestReport | undefined, checkExitCode: number, testExitCode: number }} run
 * @returns {{ notes: string[], line: string, exitCode: 0 | 1 }}
 */
export function summarize({ report, checkExitCode, testExitCode }) {
  /** @type {string[]} */
  const notes = [];
  const passed = report?.numPassedTests ?? 0;
  let failed = report?.numFailedTests ?? 0;
  for (const { name, status, assertionResults } of report?.testResults ?? []) {
    if (status !== "failed" || assertionResults.some((test) => test.status === "failed")) continue;
    notes.push(`${name} could not be run.`);
    failed += 1;
  }
  if (report === undefined) notes.push("The tests left no report.");
  if (testExitCode !== 0 && failed === 0) {
    notes.push(`The tests ended with exit code ${testExitCode}.`);
    failed += 1;
  }
  if (checkExitCode !== 0) {
    notes.push(`npm run check ended with exit code ${checkExitCode}.`);
    failed += 1;
  }
  return { notes, line: `${passed} passed, ${failed} failed`, exitCode: failed === 0 ? 0 : 1 };
}
