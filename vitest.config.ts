import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Minutes of faults in few lines: begun last, they would be all that runs in the end. */
const LONGEST = /[\\/]tooling[\\/]e2e[\\/]test[\\/](?:tunnel-faults|crash)/u;

/** Vitest begins with the largest files, which are the longest as a rule; these are small. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONGEST.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  resolve: { conditions: ["@openclaw/source"] },
  ssr: { resolve: { conditions: ["@openclaw/source"] } },
  test: {
    include: [
      "packages/*/{src,test}/**/*.test.ts",
      "apps/*/{src,test}/**/*.test.ts",
      "tooling/*/{src,test}/**/*.test.ts",
    ],
    retry: 0,
    sequence: { sequencer: LongestFirst },
    expect: { poll: { timeout: 10_000 } },
    setupFiles: ["./tooling/testkit/src/patient-waits.ts"],
    pool: "forks",
    // Most of the long ones wait: for keepalives, for servers that start, for faults that last.
    maxWorkers: Math.max(4, availableParallelism() - 1),
    // A night of generated cases, OPENCLAW_FUZZ_RUNS, takes as long as it takes.
    testTimeout: process.env["OPENCLAW_FUZZ_RUNS"] === undefined ? 30_000 : 12 * 60 * 60 * 1_000,
    hookTimeout: 60_000,
    reporters: ["default"],
  },
});
