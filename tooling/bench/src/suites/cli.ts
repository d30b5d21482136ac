import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { toFigure } from "../figure.ts";
import { repeat } from "./suite.ts";
import type { Suite } from "./suite.ts";

const run = promisify(execFile);

/** How long commands take, from spawn to exit, beside a Node that does nothing. */
export const cliSuite: Suite = async ({ launcher, isQuick, hasTargets, progress }) => {
  const { cli } = launcher;
  if (!cli) {
    progress("skipped: the command line is not built (npm run build)");
    return [];
  }
  await using gateway = await launcher.start();
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: gateway.home,
    OPENCLAW_GATEWAY_TOKEN: gateway.token,
    OPENCLAW_GATEWAY_PORT: new URL(gateway.url).port,
    OPENCLAW_NO_RESPAWN: "1",
  };
  const commands = {
    nothing: ["-e", "0"],
    version: [...cli, "--version"],
    health: [...cli, "health", "--json"],
  };
  const times: Record<keyof typeof commands, number[]> = { nothing: [], version: [], health: [] };
  const time = async (name: keyof typeof commands): Promise<number> => {
    const startedAt = performance.now();
    await run(process.execPath, commands[name], { env });
    return performance.now() - startedAt;
  };
  const names = Object.keys(commands) as (keyof typeof commands)[];
  // The first of each fills the disk cache, and pairs the device.
  for (const name of names) await time(name);
  await repeat(isQuick ? 5 : launcher.slowness > 1 ? 9 : 31, async () => {
    for (const name of names) times[name].push(await time(name));
  });
  const baseline = { name: "node -e 0", samples: times.nothing };
  const figure = (name: string, samples: number[], atMost: number) =>
    toFigure({
      name,
      subject: launcher.name,
      unit: "ms",
      samples,
      baseline,
      target: hasTargets ? { of: "ratio", atMost } : undefined,
    });
  return [
    figure("cli --version", times.version, 1.7),
    figure("cli health --json", times.health, 3),
  ];
};
