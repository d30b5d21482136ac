import { hash } from "node:crypto";
import type { JsonObject, LedgerEntry } from "@openclaw/ledger";
import type { Invocation } from "./invocation.ts";
import type { InvokeRequest } from "./invoke-broker.ts";
import { UNKNOWN_SEQ } from "./invoke-progress.ts";

/** The same request has the same fingerprint; another body under the same key has another. */
export function fingerprintOf(request: InvokeRequest): string {
  return hash(
    "sha256",
    `${request.nodeId}\n${request.command}\n${request.paramsJSON ?? ""}`,
    "base64url",
  );
}

/** What a record says besides its key and fingerprint. */
export interface RecordMeta extends JsonObject {
  id: string;
  nodeId: string;
  command: string;
}

export function metaOf(entry: LedgerEntry): RecordMeta {
  // Written by the broker, and by nobody else.
  return entry.meta as RecordMeta;
}

/** An invocation that an earlier run of the Gateway left open. */
export function restored(entry: LedgerEntry): Invocation {
  const meta = metaOf(entry);
  return {
    key: entry.key,
    id: meta.id,
    fingerprint: entry.fingerprint,
    nodeId: meta.nodeId,
    command: meta.command,
    createdAtMs: entry.openedAtMs,
    stage: "running",
    carrier: undefined,
    waiters: new Set(),
    deadlineTimer: undefined,
    nextProgress: UNKNOWN_SEQ,
    heldProgress: undefined,
    nextInput: 0,
  };
}
