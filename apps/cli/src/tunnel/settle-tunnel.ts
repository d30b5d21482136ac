import { setTimeout as delay } from "node:timers/promises";
import { safeText } from "@openclaw/app-kit";
import type { CommandContext } from "../program/command-context.ts";
import { logHint } from "../service/log-hint.ts";
import { readFailure, readRecords } from "./record-files.ts";
import type { RecordedCause, TunnelRecord } from "./tunnel-record.ts";
import { forwardText } from "./tunnel-text.ts";

const POLL_MS = 100;
/** A program starts and dials; whoever has a slower host looks at the status later. */
const TIMEOUT_MS = 15_000;

export interface SettledTunnel {
  /** What to tell when it is open. */
  readonly lines: readonly string[];
  /** What to tell when it is not. */
  readonly warnings: readonly string[];
}

export interface SettleTunnelInput {
  readonly name: string;
  /** Label or unit, for the hint where to read on. */
  readonly label: string;
  /** The process that runs until the new one is started. */
  readonly formerPid: number | undefined;
}

/** The process of a tunnel that runs now, if it does. */
export async function runningPid(
  context: CommandContext,
  name: string,
): Promise<number | undefined> {
  return (await findRecord(context, name))?.pid;
}

/** Waits until a service that was just started has an open tunnel, or says why it has none. */
export async function settleTunnel(
  context: CommandContext,
  { name, label, formerPid }: SettleTunnelInput,
): Promise<SettledTunnel> {
  const { stateDir } = context.paths;
  const deadline = Date.now() + TIMEOUT_MS;
  do {
    // Each look follows the one before.
    // oxlint-disable-next-line no-await-in-loop
    const record = await findRecord(context, name);
    const isNew = record !== undefined && record.pid !== formerPid;
    if (isNew && record.state === "open") {
      return { lines: record.forwards.map((one) => `Open: ${forwardText(one)}`), warnings: [] };
    }
    if (isNew && record.cause !== undefined) {
      return {
        lines: [],
        warnings: explained("It is not open yet, and tries again", record.cause),
      };
    }
    const failure = readFailure(stateDir, name);
    if (failure !== undefined) {
      const story = explained("It has given up", failure.cause);
      return { lines: [], warnings: [...story, ...agentAdvice(failure.cause, context)] };
    }
    // oxlint-disable-next-line no-await-in-loop
    await delay(POLL_MS);
  } while (Date.now() < deadline);
  return {
    lines: [],
    warnings: [
      `It is not open within ${TIMEOUT_MS / 1_000} seconds. See what it says: ${logHint(stateDir, label)}`,
    ],
  };
}

async function findRecord(
  context: CommandContext,
  name: string,
): Promise<TunnelRecord | undefined> {
  const { running } = await readRecords(context.paths.stateDir);
  return running.find((record) => record.name === name);
}

function explained(start: string, { message, hint }: RecordedCause): string[] {
  return [`${start}: ${safeText(message)}`, ...(hint === undefined ? [] : [safeText(hint)])];
}

/** What works in a shell may do so by an agent that a service does not see. */
function agentAdvice({ code }: RecordedCause, { env }: CommandContext): string[] {
  const isAboutKeys = code === "AUTHENTICATION_REFUSED" || code === "IDENTITY_LOCKED";
  if (!isAboutKeys || env["SSH_AUTH_SOCK"] === undefined) return [];
  return [
    "A service may not see the SSH agent of your shell: give it a key of its own with --identity.",
  ];
}
