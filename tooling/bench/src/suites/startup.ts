import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { toFigure } from "../figure.ts";
import { repeat } from "./suite.ts";
import type { Suite } from "./suite.ts";

const run = promisify(execFile);

/** From the spawn of a Gateway to its first successful `health`. */
export const startupSuite: Suite = async ({ launcher, isQuick, hasTargets }) => {
  const startups: number[] = [];
  const nothing: number[] = [];
  await repeat(isQuick ? 3 : launcher.slowness > 1 ? 3 : 15, async () => {
    const startedAt = performance.now();
    await run(process.execPath, ["-e", "0"]);
    nothing.push(performance.now() - startedAt);
    await using gateway = await launcher.start();
    startups.push(gateway.startupMs);
  });
  return [
    toFigure({
      name: "gateway startup",
      subject: launcher.name,
      unit: "ms",
      samples: startups,
      baseline: { name: "node -e 0", samples: nothing },
      target: hasTargets ? { of: "ratio", atMost: 6 } : undefined,
    }),
  ];
};
