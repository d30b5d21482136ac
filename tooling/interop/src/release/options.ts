import { parseArgs } from "node:util";
import type { Half } from "./checklist.ts";

/** The release that a run is held against unless told otherwise. */
export const DEFAULT_RELEASE = "2026.9.6";

/** What the command line asks for. */
export interface InteropOptions {
  halves: readonly Half[];
  /** File for the JSON, `-` for stdout. */
  jsonPath: string | undefined;
  /** Version of the published `openclaw`. */
  release: string;
  /** Entry of another install of our command line than the built one. */
  cliPath: string | undefined;
}

/** Shown by `--help`. */
export const USAGE = `npm run interop -- [options]

Runs the published openclaw against this Gateway, and this command line and this node against the
published Gateway. Installs the published one into node_modules/.cache on first use. Exit code 1
when a step did not pass; PUBLISHED marks those that fell over on the published side.

  --only <half>        ours: published programs at our Gateway; theirs: our programs at theirs
  --json <file>        also write every step as JSON; - for stdout
  --release <version>  the published release (${DEFAULT_RELEASE})
  --cli <file>         run this openclaw.js, e.g. of an installed tarball, instead of the built one`;

/**
 * Reads the arguments; `undefined` asks for the usage.
 *
 * @throws {TypeError} for what it does not know.
 */
export function parseInteropOptions(argv: readonly string[]): InteropOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string" },
      json: { type: "string" },
      release: { type: "string", default: DEFAULT_RELEASE },
      cli: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const { only, release } = values;
  if (only !== undefined && only !== "ours" && only !== "theirs") {
    throw new TypeError(`--only is ours or theirs, not ${only}`);
  }
  if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(release)) {
    throw new TypeError(
      `--release wants an exact version, e.g. ${DEFAULT_RELEASE}, not ${release}`,
    );
  }
  return {
    halves: only === undefined ? ["ours", "theirs"] : [only],
    jsonPath: values.json,
    release,
    cliPath: values.cli,
  };
}
