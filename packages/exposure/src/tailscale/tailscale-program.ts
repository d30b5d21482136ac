import { isAbsolute } from "node:path";
import process from "node:process";
import { ExposureError } from "../exposure-error.ts";
import { MAC_APP, programCandidates } from "./find-program.ts";
import { jsonInNoise } from "./json-in-noise.ts";
import {
  hasSucceeded,
  notInstalled,
  notJson,
  programFailure,
  unusable,
  waitsForPerson,
} from "./program-failure.ts";
import { type ProgramLimits, type ProgramResult, runProgram } from "./run-program.ts";
import type { ServeTable } from "./serve-table.ts";
import { readStatus, type TailscaleStatus } from "./tailscale-status.ts";

/** Limits of the invocations. */
export interface TailscaleLimits {
  /** For `--version`, which finds out whether a program is usable. @default 3_000 */
  versionMs: number;
  /** For what only reads. @default 5_000 */
  readMs: number;
  /** For what changes the table. @default 15_000 */
  changeMs: number;
  /** What `status` may print. @default 400_000 */
  statusBytes: number;
  /** What everything else may print. @default 200_000 */
  outputBytes: number;
}

export const defaultTailscaleLimits: TailscaleLimits = {
  versionMs: 3_000,
  readMs: 5_000,
  changeMs: 15_000,
  statusBytes: 400_000,
  outputBytes: 200_000,
};

/** The `tailscale` program of this machine. */
export interface TailscaleProgram {
  /** What it says about this machine; a failure is `problem`. */
  status(): Promise<TailscaleStatus>;
  /** What is served. @throws {ExposureError} */
  table(): Promise<ServeTable>;
  /** Runs what changes the table. @throws {ExposureError} */
  change(args: readonly string[]): Promise<void>;
  /** The document behind an address; undefined when nobody is known there. @throws {ExposureError} */
  whois(address: string): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** Options of {@link createTailscaleProgram}. */
export interface TailscaleProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path; searched for when it is not given. */
  readonly program?: string | undefined;
  readonly limits: TailscaleLimits;
}

interface Found {
  readonly path: string;
  readonly version?: string;
}

/** Passed on to the program; nothing else of the environment is, least of all a secret of the Gateway. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "XDG_RUNTIME_DIR",
  "SystemRoot",
  "ProgramData",
  "LOCALAPPDATA",
  "USERPROFILE",
];

/** Nothing is run before the first call, and no program is found again once one was. */
export function createTailscaleProgram({
  env,
  program,
  limits,
}: TailscaleProgramOptions): TailscaleProgram {
  if (program !== undefined && !isAbsolute(program)) {
    throw new TypeError(`the path of the tailscale program is to be absolute, not ${program}`);
  }
  const reading: ProgramLimits = { timeoutMs: limits.readMs, maxOutputBytes: limits.outputBytes };
  const statusReading: ProgramLimits = { ...reading, maxOutputBytes: limits.statusBytes };
  const changing: ProgramLimits = { ...reading, timeoutMs: limits.changeMs };
  let search: Promise<Found | ExposureError> | undefined;

  async function find(): Promise<Found | ExposureError> {
    search ??= searchProgram();
    const found = await search;
    // Somebody may install it while the Gateway runs.
    if (found instanceof ExposureError) search = undefined;
    return found;
  }

  async function searchProgram(): Promise<Found | ExposureError> {
    const candidates = program === undefined ? await programCandidates(env["PATH"]) : [program];
    const probing = { ...reading, timeoutMs: limits.versionMs };
    let failure: ExposureError | undefined;
    for (const path of candidates) {
      const result = await start(path, ["--version"], probing);
      if (result.code !== 0) {
        // One that is only slow may answer the next time.
        failure ??= result.failure === "timeout" ? programFailure(result, probing) : unusable(path);
        continue;
      }
      const version = /^\s*v?(\d+\.[\d.]+)/mu.exec(result.stdout)?.[1];
      return version === undefined ? { path } : { path, version };
    }
    return failure ?? notInstalled();
  }

  function start(path: string, args: readonly string[], within: ProgramLimits) {
    return runProgram(path, args, {
      limits: within,
      env: childEnvironment(env, path),
      isPointless: waitsForPerson,
    });
  }

  async function run(args: readonly string[], within: ProgramLimits): Promise<ProgramResult> {
    const found = await find();
    if (found instanceof ExposureError) throw found;
    return start(found.path, args, within);
  }

  async function document(
    args: readonly string[],
    within: ProgramLimits,
  ): Promise<Readonly<Record<string, unknown>>> {
    const result = await run(args, within);
    if (!hasSucceeded(result)) throw programFailure(result, within);
    const value = jsonInNoise(result.stdout);
    if (value === undefined) throw notJson(result);
    return value;
  }

  /** A large tailnet has more peers than the limit holds; the machine itself is enough then. */
  async function statusDocument(): Promise<Readonly<Record<string, unknown>>> {
    const result = await run(["status", "--json"], statusReading);
    if (result.failure === "flood") {
      return document(["status", "--json", "--peers=false"], statusReading);
    }
    if (!hasSucceeded(result)) throw programFailure(result, statusReading);
    const value = jsonInNoise(result.stdout);
    if (value === undefined || !("BackendState" in value)) throw notJson(result);
    return value;
  }

  return {
    async status() {
      const found = await find();
      if (found instanceof ExposureError) {
        const isInstalled = found.code !== "TAILSCALE_NOT_INSTALLED";
        return { isInstalled, addresses: [], health: [], problem: found };
      }
      const { path, version } = found;
      const installed = { isInstalled: true, program: path, ...(version ? { version } : {}) };
      try {
        return { ...installed, ...readStatus(await statusDocument()) };
      } catch (error) {
        if (!(error instanceof ExposureError)) throw error;
        return { ...installed, addresses: [], health: [], problem: error };
      }
    },

    async table() {
      const result = await run(["serve", "status", "--json"], reading);
      if (!hasSucceeded(result)) throw programFailure(result, reading);
      const value = jsonInNoise(result.stdout);
      if (value !== undefined) return value;
      // An empty table is printed as null by some versions, and in words by others.
      if (/^(?:null|No serve config)$/mu.test(result.stdout)) return {};
      throw notJson(result);
    },

    async change(args) {
      const result = await run(args, changing);
      if (!hasSucceeded(result)) throw programFailure(result, changing);
    },

    async whois(address) {
      const result = await run(["whois", "--json", address], reading);
      if (hasSucceeded(result)) {
        const value = jsonInNoise(result.stdout);
        if (value === undefined) throw notJson(result);
        return value;
      }
      if (/peer not found|no match for IP/iu.test(result.stderr)) return undefined;
      throw programFailure(result, reading);
    },
  };
}

function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  path: string,
): Record<string, string> {
  const passed: Record<string, string> = {
    // Its words are read.
    LC_ALL: "C",
  };
  for (const name of PASSED_ON) {
    const value = env[name];
    if (value !== undefined) passed[name] = value;
  }
  // The app of the Mac is one program with two faces.
  if (process.platform === "darwin" && path === MAC_APP) passed["TAILSCALE_BE_CLI"] = "1";
  return passed;
}
