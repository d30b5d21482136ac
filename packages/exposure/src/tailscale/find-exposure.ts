import { readExposureRecord } from "./exposure-record.ts";
import { isStillRunning } from "./process-identity.ts";
import type { Route } from "./serve-table.ts";

/** A route that is on record as ours. */
export interface FoundExposure {
  readonly route: Route;
  /** The process that opened it. */
  readonly pid: number;
  /** Whether that process still runs. */
  readonly isHeld: boolean;
}

/**
 * The route that a Gateway has written down as its own; undefined when there is no record. Runs no program
 * of Tailscale, and changes nothing.
 *
 * @throws {ExposureError} `TAILSCALE_RECORD_UNREADABLE`
 */
export async function findExposure(recordPath: string): Promise<FoundExposure | undefined> {
  const record = await readExposureRecord(recordPath);
  if (record === undefined) return undefined;
  const { route, owner } = record;
  return { route, pid: owner.pid, isHeld: await isStillRunning(owner) };
}
