import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { ServeTable } from "./serve-table.ts";

/** A person or a tagged machine behind an address of the tailnet. */
export interface FakeTailnetPeer {
  login: string;
  name?: string;
  /** A tagged machine belongs to nobody: its login is then `tagged-devices`. */
  tags?: readonly string[];
}

/** Something that goes wrong. */
export interface FakeTailscaleFault {
  /** First words of the invocations concerned, such as `serve --bg`; `*` is every one. */
  on: string;
  /**
   * - `hang`: prints nothing, ignores SIGTERM and never ends.
   * - `flood`: prints without end.
   * - `garbage`: prints something that begins like JSON, and ends with 0.
   * - `fail`: prints `text` on stderr and ends with 1.
   * - `unknown flag`: ends with 2, as a program does that is too old for the flag.
   * - `nothing`: says that it is done, and has done nothing.
   * - `half`: opens the port and mounts nothing there.
   * - `public`: does what it is told, and puts the port on Funnel too.
   * - `then fail`: does what it is told, then prints `text` on stderr and ends with 1.
   * - `then replaced`: does what it is told, and somebody else puts `table` in its place at once.
   */
  kind:
    | "hang"
    | "flood"
    | "garbage"
    | "fail"
    | "unknown flag"
    | "nothing"
    | "half"
    | "public"
    | "then fail"
    | "then replaced";
  text?: string;
  table?: ServeTable;
  /** How often it happens. @default for ever */
  times?: number;
}

/** What the stand-in knows, besides the table. */
export interface FakeTailscaleState {
  /** Below 1.52 the flags of today are unknown to it. */
  version: string;
  isDaemonRunning: boolean;
  backendState: string;
  /** So many `status` still say `Starting`. */
  startsAfter: number;
  /** With the dot at its end; empty when MagicDNS is off. */
  dnsName: string;
  addresses: readonly string[];
  health: readonly string[];
  isHttpsEnabled: boolean;
  isFunnelEnabled: boolean;
  /** Whether it waits for somebody to follow the link when something is not enabled, or ends with 0. */
  waitsForEnablement: boolean;
  /** Whether this user may change what is served. */
  isOperator: boolean;
  /** Lines before and after every JSON document. */
  isNoisy: boolean;
  peers: Readonly<Record<string, FakeTailnetPeer>>;
  faults: readonly FakeTailscaleFault[];
}

/** One invocation, from its beginning. */
export interface FakeTailscaleCall {
  pid: number;
  args: string[];
}

/** The files of one stand-in. */
export interface FakeTailscaleFiles {
  readState(): FakeTailscaleState;
  /** Changes the state in one step; no other process changes it meanwhile. */
  changeState(change: (state: FakeTailscaleState) => void): void;
  /** The table's file, byte by byte. */
  readTableText(): string;
  readTable(): ServeTable;
  writeTable(table: ServeTable): void;
  changeTable(change: (table: ServeTable) => void): void;
  recordCall(args: readonly string[]): void;
  calls(): FakeTailscaleCall[];
}

/** Opens, without creating anything, the files in `directory`. */
export function fakeTailscaleFiles(directory: string): FakeTailscaleFiles {
  const statePath = join(directory, "state.json");
  const tablePath = join(directory, "table.json");
  const callsPath = join(directory, "calls.jsonl");
  const lockPath = join(directory, "lock");

  const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
  const readTable = (): ServeTable => read(tablePath) as ServeTable;
  const readState = (): FakeTailscaleState => read(statePath) as FakeTailscaleState;

  function write(path: string, value: unknown): void {
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(value, undefined, 2)}\n`);
    renameSync(draft, path);
  }

  function locked(work: () => void): void {
    while (!tryLock()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    try {
      work();
    } finally {
      rmdirSync(lockPath);
    }
  }

  function tryLock(): boolean {
    try {
      mkdirSync(lockPath);
      return true;
    } catch {
      return false;
    }
  }

  return {
    readState,
    changeState: (change) =>
      locked(() => {
        // The first time there is none yet, and the change fills it in.
        const state = tryRead(readState) ?? ({} as FakeTailscaleState);
        change(state);
        write(statePath, state);
      }),
    readTableText: () => readFileSync(tablePath, "utf8"),
    readTable,
    writeTable: (table) => locked(() => write(tablePath, table)),
    changeTable: (change) =>
      locked(() => {
        const table = readTable();
        change(table);
        write(tablePath, table);
      }),
    recordCall: (args) =>
      appendFileSync(callsPath, `${JSON.stringify({ pid: process.pid, args })}\n`),
    calls: () =>
      (tryRead(() => readFileSync(callsPath, "utf8")) ?? "")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as FakeTailscaleCall),
  };
}

function tryRead<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
