import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { loadConfig } from "@openclaw/config";
import { temporaryDirectory } from "@openclaw/testkit";
import { toFigure } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { writeConfig } from "../subjects.ts";
import { repeat } from "./suite.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const run = promisify(execFile);
const LINES = 500;

/** How long the config file takes: read and checked in this process, and asked for by a command. */
export const configSuite: Suite = async (context) => {
  if (!context.hasTargets) {
    context.progress("skipped: it reads the file with our library");
    return [];
  }
  return [await loading(context), ...(await asking(context))];
};

/** A file with comments, against the mere reading and parsing of the same keys as JSON. */
async function loading({ launcher, isQuick, hasTargets }: SuiteContext): Promise<Figure> {
  await using folder = await temporaryDirectory("openclaw-bench-");
  const path = folder.file("openclaw.json");
  await writeFile(path, configText(LINES));
  const env = { BENCH_TOKEN: "t" };
  const first = await loadConfig({ path, env });
  if (!first.ok) throw new Error(JSON.stringify(first.issues));
  const plain = folder.file("plain.json");
  await writeFile(plain, JSON.stringify(first.config, undefined, 2));

  const samples: number[] = [];
  const parsing: number[] = [];
  await repeat(isQuick ? 10 : 101, async () => {
    parsing.push(await timed(async () => JSON.parse(await readFile(plain, "utf8")) as unknown));
    samples.push(await timed(() => loadConfig({ path, env })));
  });
  return toFigure({
    name: `config load (${LINES} lines)`,
    subject: launcher.name,
    unit: "ms",
    samples,
    baseline: { name: "JSON.parse", samples: parsing },
    target: hasTargets ? { of: "value", atMost: 15 } : undefined,
  });
}

async function asking({
  launcher,
  isQuick,
  hasTargets,
  progress,
}: SuiteContext): Promise<Figure[]> {
  const { cli } = launcher;
  if (!cli) {
    progress("without config get: the command line is not built (npm run build)");
    return [];
  }
  await using home = await temporaryDirectory("openclaw-bench-");
  await writeConfig(home.path, { gateway: { mode: "local", port: 4000 } });
  const env = { PATH: process.env["PATH"] ?? "", HOME: home.path };
  const get = () => run(process.execPath, [...cli, "config", "get", "gateway.port"], { env });
  // The first one fills the disk cache, and tells whether there is such a command.
  const answer = await get().catch(() => undefined);
  if (answer?.stdout.trim() !== "4000") {
    progress("without config get: this build does not have it");
    return [];
  }
  const samples: number[] = [];
  const nothing: number[] = [];
  await repeat(isQuick ? 5 : 31, async () => {
    nothing.push(await timed(() => run(process.execPath, ["-e", "0"], { env })));
    samples.push(await timed(get));
  });
  return [
    toFigure({
      name: "config get",
      subject: launcher.name,
      unit: "ms",
      samples,
      baseline: { name: "node -e 0", samples: nothing },
      target: hasTargets ? { of: "ratio", atMost: 2 } : undefined,
    }),
  ];
}

/** A config as somebody with many agents has it. */
function configText(lines: number): string {
  const head = [
    "// Written for the measurement.",
    "{",
    "  gateway: { mode: 'local', port: 18789, auth: { token: '${BENCH_TOKEN}' } },",
    "  channels: { telegram: { dmPolicy: 'allowlist', allowFrom: ['1', '2'] } },",
    "  agents: { list: [",
  ];
  const tail = ["  ] },", "}"];
  const agents: string[] = [];
  for (let index = 0; head.length + agents.length + 6 + tail.length <= lines; index += 1) {
    agents.push(
      "    {",
      `      id: 'agent-${index}', // number ${index}`,
      `      workspace: '~/work/${index}',`,
      "      model: { primary: 'anthropic/claude-opus-4-5', fallbacks: [] },",
      "      tools: { exec: { host: 'gateway', safeBins: ['ls', 'cat'] } },",
      "    },",
    );
  }
  const filler = Array.from(
    { length: lines - head.length - agents.length - tail.length },
    () => "    // Nothing.",
  );
  return [...head, ...agents, ...filler, ...tail].join("\n");
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
