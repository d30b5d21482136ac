import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createCrew } from "./crew.ts";
import { createNarrator } from "./narrator.ts";
import { runTour, type TourOutcome } from "./tour.ts";
import { parseTourArgs, TOUR_USAGE, type TourArgs } from "./tour-args.ts";
import { TourError } from "./tour-error.ts";
import { createTourFolder } from "./tour-folder.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const PARENT_CHECK_MS = 500;

const parsed = parseTourArgs(process.argv.slice(2));
if (parsed.kind === "help") process.stdout.write(TOUR_USAGE);
else if (parsed.kind === "invalid") {
  process.stderr.write(`${parsed.message}\n\n${TOUR_USAGE}`);
  process.exitCode = 1;
} else process.exitCode = await main(parsed.args);

async function main(args: TourArgs): Promise<number> {
  const cli = join(root, "apps/cli/bin/openclaw.js");
  const command = [process.execPath, cli] as const;
  const folder = createTourFolder({
    base: join(root, ".cache", "tour"),
    pid: process.pid,
    platform: process.platform,
    command,
    isAlive,
  });
  const crew = createCrew({ command, cwd: folder.home });
  // Also on the ways out that nobody thought of.
  process.on("exit", () => {
    crew.kill();
    folder.remove();
  });

  let outcome: TourOutcome;
  try {
    outcome = await runTour({
      args,
      crew,
      folder,
      narrator: createNarrator({ write: (text) => process.stdout.write(text) }),
      env: process.env,
      platform: process.platform,
      cwd: process.env["INIT_CWD"] ?? process.cwd(),
      interrupted: stopSignal(),
    });
  } catch (error) {
    if (!(error instanceof TourError)) throw error;
    explain(error);
    outcome = { exitCode: 1 };
  }
  if (outcome.signal !== undefined) process.stdout.write("\nStopping the node and the Gateway.\n");
  await crew.stop({ isTold: outcome.signal !== undefined });
  return outcome.exitCode;
}

function explain(error: TourError): void {
  process.stderr.write(`\n${error.message}.\n`);
  if (error.lastWords.length === 0) return;
  process.stderr.write("Its last lines:\n");
  for (const line of error.lastWords) process.stderr.write(`  ${line}\n`);
}

/** The first signal that asks this process to end, or the end of the process that started it. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => resolve(signal));
    }
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid !== parent) resolve("SIGTERM");
    }, PARENT_CHECK_MS);
    timer.unref();
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
