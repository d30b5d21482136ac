import process from "node:process";
import { messageOf } from "@openclaw/app-kit";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import {
  claimRecord,
  removeFailure,
  removeRecord,
  startTimeOf,
  writeFailure,
  writeRecord,
} from "./record-files.ts";
import type { RecordedCause, TunnelRecord } from "./tunnel-record.ts";

/** More tunnels to one host than anybody opens. */
const MAX_SUFFIX = 99;

/** Keeps the record of this process's tunnel. A file that cannot be written ends no tunnel. */
export interface RecordKeeper {
  readonly name: string;
  update(change: Partial<TunnelRecord>): void;
  /** The tunnel has ended for good; a service's record says why, until it runs again. */
  fail(cause: RecordedCause): void;
  remove(): void;
}

export interface KeepRecordInput {
  readonly target: string;
  /** A name that has to be free. */
  readonly name: string | undefined;
  /** Without a name, this one, or this one with a number. */
  readonly fallbackName: string;
}

/** @throws {CliError} when another tunnel has the name that was asked for */
export async function keepRecord(
  context: CommandContext,
  input: KeepRecordInput,
): Promise<RecordKeeper> {
  const { stateDir } = context.paths;
  const isService = context.env["OPENCLAW_SERVICE_KIND"] === "tunnel";
  let warned = false;

  function attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!warned) context.say(`Warning: the tunnel's status cannot be kept: ${messageOf(error)}`);
      warned = true;
    }
  }

  let record: TunnelRecord = {
    version: 1,
    name: input.name ?? input.fallbackName,
    pid: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? null,
    target: input.target,
    isService,
    state: "connecting",
    since: Date.now(),
    generation: 0,
    forwards: [],
  };
  try {
    record = await claimName(context, record, input.name !== undefined);
  } catch (error) {
    if (error instanceof CliError) throw error;
    attempt(() => {
      throw error;
    });
  }
  attempt(() => removeFailure(stateDir, record.name));
  let written = JSON.stringify(record);
  return {
    name: record.name,
    update(change) {
      record = { ...record, ...change };
      const text = JSON.stringify(record);
      if (text === written) return;
      written = text;
      attempt(() => writeRecord(stateDir, record));
    },
    fail(cause) {
      if (!isService) return;
      const { name, target } = record;
      attempt(() => writeFailure(stateDir, { version: 1, name, target, at: Date.now(), cause }));
    },
    remove: () => attempt(() => removeRecord(stateDir, record)),
  };
}

async function claimName(
  context: CommandContext,
  record: TunnelRecord,
  mustBeThisOne: boolean,
): Promise<TunnelRecord> {
  for (let number = 1; number <= MAX_SUFFIX; number += 1) {
    const name = number === 1 ? record.name : `${record.name}-${number}`;
    const named = { ...record, name };
    // One after the other: the first that is free is taken.
    // oxlint-disable-next-line no-await-in-loop
    const other = await claimRecord(context.paths.stateDir, named);
    if (other === undefined) return named;
    if (mustBeThisOne) throw nameTaken(context, name, other);
  }
  throw nameTaken(context, record.name, null);
}

function nameTaken(context: CommandContext, name: string, other: TunnelRecord | null): CliError {
  const who =
    other === null ? "the name is taken" : `it runs already, to ${other.target} (pid ${other.pid})`;
  return new CliError("cli_error", `the tunnel ${name} cannot be opened: ${who}.`, {
    hints: [
      `Look at it: ${context.commandLine(`tunnel status ${name}`)}`,
      "or choose another name: --name <name>",
    ],
    fields: { kind: "usage", ...(other === null ? {} : { pid: other.pid }) },
  });
}
