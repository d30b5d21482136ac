/** The full half of the peer tests, for releases: `npm run interop`. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createChecklist, isClean } from "./release/checklist.ts";
import type { StepReport } from "./release/checklist.ts";
import { takeOurHalf, takeTheirHalf } from "./release/halves.ts";
import { openLab } from "./release/lab.ts";
import { parseInteropOptions, USAGE } from "./release/options.ts";
import type { InteropOptions } from "./release/options.ts";
import { formatReport, formatStep } from "./release/report.ts";

const BUILT_CLI = fileURLToPath(new URL("../../../apps/cli/bin/openclaw.js", import.meta.url));

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let options: InteropOptions | undefined;
  try {
    options = parseInteropOptions(argv);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 1;
  }
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  const cliPath = resolve(options.cliPath ?? BUILT_CLI);
  if (!existsSync(cliPath)) {
    console.error(`There is no command line at ${cliPath}; npm run build makes ours.`);
    return 1;
  }
  const checklist = createChecklist({ onReport: (report) => console.error(formatStep(report)) });
  const lab = await openLab({ release: options.release, cliPath });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      console.error(`Interrupted by ${signal}; ending what was started.`);
      void lab.end().finally(() => process.exit(130));
    });
  }
  try {
    for (const half of options.halves) {
      await (half === "ours" ? takeOurHalf : takeTheirHalf)(checklist, lab);
    }
  } finally {
    await lab.end();
  }
  await report(options, checklist.reports);
  return isClean(checklist.reports) ? 0 : 1;
}

async function report(
  { jsonPath, release }: InteropOptions,
  steps: readonly StepReport[],
): Promise<void> {
  const text = formatReport(steps);
  // With the JSON on stdout, what is for people goes to the other stream.
  if (jsonPath === "-") console.error(`\n${text}`);
  else console.log(`\n${text}`);
  if (jsonPath === undefined) return;
  const document = {
    takenAt: new Date().toISOString(),
    release,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    passed: isClean(steps),
    steps,
  };
  const json = JSON.stringify(document, undefined, 2);
  if (jsonPath === "-") console.log(json);
  else await writeFile(jsonPath, `${json}\n`);
}
