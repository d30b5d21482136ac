import { mkdir, readdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseBenchOptions, USAGE } from "./bench-options.ts";
import type { BenchOptions, SuiteName } from "./bench-options.ts";
import type { Figure } from "./figure.ts";
import { ownGateway } from "./own-gateway.ts";
import { peerGateway } from "./peer-gateway.ts";
import { summarizeProfile } from "./profile-summary.ts";
import { cliSuite } from "./suites/cli.ts";
import { configSuite } from "./suites/config.ts";
import { handshakesSuite } from "./suites/handshakes.ts";
import { invokeSuite } from "./suites/invoke.ts";
import { memorySuite } from "./suites/memory.ts";
import { rpcSuite } from "./suites/rpc.ts";
import { startupSuite } from "./suites/startup.ts";
import { tlsSuite } from "./suites/tls.ts";
import { tunnelSuite } from "./suites/tunnel.ts";
import type { Suite } from "./suites/suite.ts";
import { formatTable } from "./table.ts";
import { CACHE } from "./workspace.ts";

const suites: Record<SuiteName, Suite> = {
  cli: cliSuite,
  config: configSuite,
  startup: startupSuite,
  rpc: rpcSuite,
  invoke: invokeSuite,
  memory: memorySuite,
  tls: tlsSuite,
  handshakes: handshakesSuite,
  tunnel: tunnelSuite,
};

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let options: BenchOptions | undefined;
  try {
    options = parseBenchOptions(argv);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 1;
  }
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  const { figures, failures } = await measure(options);
  await report(options, figures);
  const isMissed = figures.some((figure) => figure.isMet === false);
  return failures > 0 || (options.isChecking && isMissed) ? 1 : 0;
}

async function measure(options: BenchOptions): Promise<{ figures: Figure[]; failures: number }> {
  const launchers = [{ launcher: ownGateway(options.gateway), isOurs: true }];
  if (options.peerVersion !== undefined) {
    launchers.push({ launcher: await peerGateway(options.peerVersion), isOurs: false });
  }
  const profileDirectory = options.isProfiling
    ? join(CACHE, "openclaw-bench", `profile-${Date.now()}`)
    : undefined;
  if (profileDirectory !== undefined) await mkdir(profileDirectory, { recursive: true });

  const figures: Figure[] = [];
  let failures = 0;
  for (const name of options.suites) {
    for (const { launcher, isOurs } of launchers) {
      const progress = (text: string): void => console.error(`${name}, ${launcher.name}: ${text}`);
      progress("…");
      try {
        figures.push(
          ...(await suites[name]({
            launcher,
            isQuick: options.isQuick,
            profileDirectory: isOurs ? profileDirectory : undefined,
            progress,
            hasTargets: isOurs,
          })),
        );
      } catch (error) {
        // The other suites still say what they can.
        failures += 1;
        console.error(error);
      }
    }
  }
  if (profileDirectory !== undefined) await printProfiles(profileDirectory);
  return { figures, failures };
}

async function report({ jsonPath }: BenchOptions, figures: readonly Figure[]): Promise<void> {
  const table = formatTable(figures);
  if (jsonPath === undefined) {
    console.log(table);
    return;
  }
  const json = JSON.stringify(
    {
      takenAt: new Date().toISOString(),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cpus: cpus().map(({ model }) => model),
      figures,
    },
    undefined,
    2,
  );
  if (jsonPath === "-") {
    console.error(table);
    console.log(json);
    return;
  }
  console.log(table);
  await writeFile(jsonPath, `${json}\n`);
}

async function printProfiles(directory: string): Promise<void> {
  for (const file of await readdir(directory)) {
    const path = join(directory, file);
    console.error(`\n${path}\n${await summarizeProfile(path)}`);
  }
}
