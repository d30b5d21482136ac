// Prints the last line of a CI run: `node summary.mjs <vitest's JSON report> <check's exit code>
// <vitest's exit code>`. Exits with 0 only when everything passed.

import { readFileSync } from "node:fs";
import { summarize } from "./lib/summary.mjs";

const [report = "", check, tests] = process.argv.slice(2);

function readReport() {
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return undefined;
  }
}

const { notes, line, exitCode } = summarize({
  report: readReport(),
  checkExitCode: Number(check),
  testExitCode: Number(tests),
});
for (const note of notes) console.log(note);
console.log(line);
process.exitCode = exitCode;
