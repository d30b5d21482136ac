import { parseArgs } from "node:util";

/** The groups of figures, in the order in which they are measured. */
export const SUITES = [
  "cli",
  "config",
  "startup",
  "rpc",
  "invoke",
  "memory",
  "tls",
  "handshakes",
  "tunnel",
] as const;

/** Name of a group of figures. */
export type SuiteName = (typeof SUITES)[number];

/** What the command line asks for. */
export interface BenchOptions {
  suites: readonly SuiteName[];
  /** Fewer rounds: to see that it works, not to quote. */
  isQuick: boolean;
  /** File for the JSON, `-` for stdout. */
  jsonPath: string | undefined;
  /** Version of a published `openclaw` to measure besides ours. */
  peerVersion: string | undefined;
  /** Write a V8 CPU profile of our Gateway for each suite that loads it. */
  isProfiling: boolean;
  /** End with 1 when a target was missed. */
  isChecking: boolean;
  /** `core` runs the Gateway from the library's source also when the CLI is built. */
  gateway: "cli" | "core" | undefined;
}

/** Shown by `--help`. */
export const USAGE = `npm run bench -- [options]

  --only <names>      of ${SUITES.join(", ")}; separated by commas
  --quick             a tenth of the rounds: to see that it works, not to quote
  --json <file>       also write every sample as JSON; - for stdout
  --peer <version>    run the same work against that published openclaw, e.g. 2026.9.6
  --profile           write V8 CPU profiles of the Gateway and print where the time went
  --gateway <which>   cli (the built one, default) or core (from source)
  --check             exit 1 when a target was missed`;

/**
 * Reads the arguments; `undefined` asks for the usage.
 *
 * @throws {TypeError} for what it does not know.
 */
export function parseBenchOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      peer: { type: "string" },
      profile: { type: "boolean", default: false },
      gateway: { type: "string" },
      check: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const { gateway, peer } = values;
  if (gateway !== undefined && gateway !== "cli" && gateway !== "core") {
    throw new TypeError(`--gateway is cli or core, not ${gateway}`);
  }
  if (peer !== undefined && !/^\d+\.\d+\.\d+[\w.-]*$/.test(peer)) {
    throw new TypeError(`--peer wants an exact version, e.g. 2026.9.6, not ${peer}`);
  }
  return {
    suites: values.only === undefined ? SUITES : values.only.split(",").map(toSuite),
    isQuick: values.quick,
    jsonPath: values.json,
    peerVersion: peer,
    isProfiling: values.profile,
    isChecking: values.check,
    gateway,
  };
}

function toSuite(name: string): SuiteName {
  const found = SUITES.find((suite) => suite === name.trim());
  if (!found) throw new TypeError(`--only knows ${SUITES.join(", ")}, not ${name}`);
  return found;
}
