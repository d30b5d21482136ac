import { isObject } from "@openclaw/app-kit";
import type { EngineInfo, OpenForward, TunnelState } from "@openclaw/tunnel";
import { isTunnelName } from "./tunnel-name.ts";

/** Why a tunnel waits, or ended. */
export interface RecordedCause {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly final: boolean;
}

/** What a running tunnel tells of itself. Points in time are epoch milliseconds. */
export interface TunnelRecord {
  readonly version: 1;
  readonly name: string;
  readonly pid: number;
  /** When the process began, as `inspectProcess` has it; null where the system does not tell. */
  readonly startTime: string | null;
  readonly target: string;
  /** Whether a supervisor has started it. */
  readonly isService: boolean;
  readonly state: Exclude<TunnelState["kind"], "closed">;
  /** Since when it is in this state. */
  readonly since: number;
  /** Counts the connections. */
  readonly generation: number;
  readonly attempt?: number | undefined;
  readonly retryAt?: number | undefined;
  readonly cause?: RecordedCause | undefined;
  /** Of the connection that is open, or was last. */
  readonly engine?: EngineInfo | undefined;
  readonly forwards: readonly OpenForward[];
}

/** What became of the last run of a service that gave up. */
export interface FailureRecord {
  readonly version: 1;
  readonly name: string;
  readonly target: string;
  readonly at: number;
  readonly cause: RecordedCause;
}

/** The members of a record that follow from a state. */
export function recordedState(
  state: Exclude<TunnelState, { kind: "closed" }>,
  now: number,
): Partial<TunnelRecord> {
  const since = now;
  switch (state.kind) {
    case "connecting": {
      const { attempt, generation } = state;
      return { state: "connecting", since, generation, attempt, retryAt: undefined };
    }
    case "open": {
      const { generation, engine } = state;
      return {
        ...{ state: "open", since: state.since, generation, engine },
        ...{ attempt: undefined, retryAt: undefined, cause: undefined },
      };
    }
    case "waiting": {
      const { attempt, generation, retryAt, cause } = state;
      return {
        ...{ state: "waiting", since, generation, attempt, retryAt },
        cause: recordedCause(cause),
      };
    }
    case "draining":
      return { state: "draining", since };
  }
}

export function recordedCause({ code, message, hint, final }: RecordedCause): RecordedCause {
  return { code, message, ...(hint === undefined ? {} : { hint }), final };
}

/** Reads a record back; undefined for what is none of ours. */
export function parseTunnelRecord(text: string): TunnelRecord | undefined {
  const value = parseObject(text);
  const isRecord =
    value !== undefined &&
    value["version"] === 1 &&
    isName(value["name"]) &&
    Number.isSafeInteger(value["pid"]) &&
    Number(value["pid"]) > 0 &&
    (value["startTime"] === null || typeof value["startTime"] === "string") &&
    typeof value["target"] === "string" &&
    typeof value["state"] === "string" &&
    typeof value["since"] === "number" &&
    Array.isArray(value["forwards"]) &&
    value["forwards"].every((forward) => isObject(forward));
  // Every member that is relied upon was looked at; the program itself writes no other file.
  return isRecord ? (value as unknown as TunnelRecord) : undefined;
}

/** Reads a failure back; undefined for what is none of ours. */
export function parseFailureRecord(text: string): FailureRecord | undefined {
  const value = parseObject(text);
  const cause = value?.["cause"];
  const isRecord =
    value !== undefined &&
    value["version"] === 1 &&
    isName(value["name"]) &&
    typeof value["target"] === "string" &&
    typeof value["at"] === "number" &&
    isObject(cause) &&
    typeof cause["code"] === "string" &&
    typeof cause["message"] === "string";
  return isRecord ? (value as unknown as FailureRecord) : undefined;
}

function isName(value: unknown): boolean {
  return typeof value === "string" && isTunnelName(value);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
