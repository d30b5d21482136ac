import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "../temporary-directory.ts";
import {
  fakeTailscaleFiles,
  type FakeTailscaleFault,
  type FakeTailscaleState,
} from "./fake-tailscale-state.ts";
import type { ServeTable } from "./serve-table.ts";

/** Options of {@link fakeTailscale}: what differs from a healthy machine, and what is served already. */
export interface FakeTailscaleOptions extends Partial<FakeTailscaleState> {
  table?: ServeTable;
}

/** A stand-in of Tailscale on this machine. */
export interface FakeTailscale extends AsyncDisposable {
  /** Absolute path of the program. */
  readonly program: string;
  /** What PATH is to be, so that `tailscale` is the stand-in: its folder, then that of this process. */
  readonly path: string;
  /** PATH, and nothing else. */
  readonly env: Record<string, string>;
  /** The name of the machine, without the dot at its end. */
  readonly host: string;
  /** The arguments of every invocation so far, in order; an invocation counts from its beginning. */
  calls(): string[][];
  /** Whether an invocation still runs, also one whose caller is gone. */
  isBusy(): boolean;
  /** What is served. */
  table(): ServeTable;
  /** The same, byte by byte. */
  tableText(): string;
  /** Somebody else changes what is served. */
  setTable(table: ServeTable): void;
  /** Changes what the stand-in knows. */
  set(state: Partial<FakeTailscaleState>): void;
  /** Adds a fault. */
  fail(fault: FakeTailscaleFault): void;
  /** From now on nothing goes wrong. */
  heal(): void;
}

const HEALTHY: FakeTailscaleState = {
  version: "1.96.4",
  isDaemonRunning: true,
  backendState: "Running",
  startsAfter: 0,
  dnsName: "box.tail1234.ts.net.",
  addresses: ["100.101.102.103", "fd7a:115c:a1e0::6667"],
  health: [],
  isHttpsEnabled: true,
  isFunnelEnabled: true,
  waitsForEnablement: true,
  isOperator: true,
  isNoisy: false,
  peers: {},
  faults: [],
};

/**
 * Writes an executable named `tailscale` into a folder of its own. It keeps a table of what is served,
 * answers `version`, `status --json`, `whois --json`, `serve`, `funnel` and their `status`, `reset` and
 * `off` as the real program does, fails as it is told, and notes each invocation.
 */
export async function fakeTailscale({
  table = {},
  ...state
}: FakeTailscaleOptions = {}): Promise<FakeTailscale> {
  const directory = await temporaryDirectory("openclaw-tailscale-");
  const files = fakeTailscaleFiles(directory.path);
  files.changeState((empty) => void Object.assign(empty, HEALTHY, state));
  files.writeTable(table);
  const bin = directory.file("bin");
  await mkdir(bin);
  const program = join(bin, "tailscale");
  await writeFile(program, await executable(directory.path));
  await chmod(program, 0o755);
  const path = [bin, process.env["PATH"] ?? ""].join(delimiter);

  return {
    program,
    path,
    env: { PATH: path },
    host: (state.dnsName ?? HEALTHY.dnsName).replace(/\.$/u, ""),
    calls: () => files.calls().map(({ args }) => args),
    isBusy: () => files.calls().some(({ pid }) => isRunning(pid)),
    table: () => files.readTable(),
    tableText: () => files.readTableText(),
    setTable: (changed) => files.writeTable(changed),
    set: (changed) => files.changeState((present) => void Object.assign(present, changed)),
    fail: (fault) =>
      files.changeState((present) => {
        present.faults = [...present.faults, fault];
      }),
    heal: () => files.changeState((present) => void (present.faults = [])),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A shell script, since the first line of a file cannot hold arguments everywhere. */
async function executable(directory: string): Promise<string> {
  const main = fileURLToPath(new URL("fake-tailscale-main.ts", import.meta.url));
  // Named now and not by the first test that runs it.
  await readFile(main);
  // Compiled once: tests run it hundreds of times.
  const cache = join(directory, "compiled");
  return `#!/bin/sh
NODE_COMPILE_CACHE='${cache}' exec '${process.execPath}' '${main}' '${directory}' "$@"
`;
}
