import { randomUUID } from "node:crypto";
import process from "node:process";
import { ExposureError } from "../exposure-error.ts";
import {
  type ExposureRecord,
  readExposureRecord,
  removeExposureRecord,
  routesOf,
  writeExposureRecord,
} from "./exposure-record.ts";
import type { Logger } from "./logger.ts";
import { identifyProcess, isStillRunning, type ProcessIdentity } from "./process-identity.ts";
import { removalCommand } from "./removal-command.ts";
import {
  describeRoot,
  hasRoute,
  isEmptyTable,
  isSameTable,
  occupation,
  type Route,
  SERVE_PORT,
  type ServeTable,
  withoutRoute,
} from "./serve-table.ts";
import type { ExposeOptions, Exposure, ExposureCheck, RepairReport } from "./tailscale.ts";
import type { TailscaleProgram } from "./tailscale-program.ts";
import { isOnItsWay, type TailscaleStatus } from "./tailscale-status.ts";

/** Options of {@link createExposer}. */
export interface ExposerOptions {
  readonly program: TailscaleProgram;
  readonly logger: Logger;
  readonly now: () => number;
  /** How long Tailscale may take to start. */
  readonly startingMs: number;
  /** Between two looks at whether it has. */
  readonly pollMs: number;
}

/** Adds our route to what is served, and takes it off. */
export interface Exposer {
  expose(options: ExposeOptions): Promise<Exposure>;
  repair(options: { recordPath: string }): Promise<RepairReport>;
  check(route: Route): Promise<ExposureCheck>;
}

/**
 * What is served is one table for the whole machine, which every user and program may have entries in. So
 * ours is written down before it is added, each change is read back, and only what is exactly as it was
 * written down is ever taken off.
 */
export function createExposer({
  program,
  logger,
  now,
  startingMs,
  pollMs,
}: ExposerOptions): Exposer {
  // One change at a time, in the order in which they were asked for.
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  }

  async function expose({
    mode,
    port,
    isTls = false,
    recordPath,
    signal,
  }: ExposeOptions): Promise<Exposure> {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new RangeError(`a port to expose is 1 to 65535, not ${port}`);
    }
    const owner = await thisProcess();
    const former = await readExposureRecord(recordPath);
    await refuseIfHeld(former, owner);
    const host = await hostOnceUp(signal);
    const target = isTls ? `https+insecure://127.0.0.1:${port}` : `http://127.0.0.1:${port}`;
    const route: Route = { mode, host, target };

    const table = await withoutFormerNames(former, host, await program.table());
    const present = routesOf(former).find((one) => one.host === host && hasRoute(table, one));
    const place = occupation(table, route, present === undefined ? [] : [present]);
    if (place.kind === "taken") throw routeConflict(route, place.by);
    if (place.kind === "same" && present === undefined) {
      // What the record speaks of is not there: what is there was made by hand.
      await removeExposureRecord(recordPath);
      logger.info({ host, target }, "tailscale serves the gateway already, by somebody else");
      return exposure(route, recordPath, undefined);
    }
    const record: ExposureRecord = { id: randomUUID(), route, owner, openedAtMs: now() };
    if (place.kind === "free") {
      await apply(route, table, recordPath, { ...record, ...(present && { previous: present }) });
    }
    await writeExposureRecord(recordPath, record);
    logger.info({ mode, host, target }, `tailscale ${mode} enabled`);
    return exposure(route, recordPath, record.id);
  }

  async function thisProcess(): Promise<ProcessIdentity> {
    return (await identifyProcess(process.pid)) ?? { pid: process.pid, bootId: "", startTime: "" };
  }

  async function hostOnceUp(signal: AbortSignal | undefined): Promise<string> {
    const status = await statusOnceUp(signal);
    if (status.problem !== undefined) throw status.problem;
    if (status.dnsName === undefined) throw new Error("a status without a name has a problem");
    return status.dnsName;
  }

  async function statusOnceUp(signal: AbortSignal | undefined): Promise<TailscaleStatus> {
    const giveUpAt = now() + startingMs;
    for (;;) {
      signal?.throwIfAborted();
      const status = await program.status();
      if (!isOnItsWay(status.state) || now() >= giveUpAt) return status;
      logger.debug({ state: status.state }, "waiting for tailscale to start");
      await pause(pollMs, signal);
    }
  }

  /** The machine may have been given another name since; our route under the former one is of no use. */
  async function withoutFormerNames(
    former: ExposureRecord | undefined,
    host: string,
    table: ServeTable,
  ): Promise<ServeTable> {
    const left = routesOf(former).find((one) => one.host !== host && hasRoute(table, one));
    if (left === undefined) return table;
    await takeOff(left, table);
    return program.table();
  }

  async function apply(
    route: Route,
    before: ServeTable,
    recordPath: string,
    intent: ExposureRecord,
  ): Promise<void> {
    // From here on a crash leaves a record behind, whether or not the route has come to be.
    await writeExposureRecord(recordPath, intent);
    try {
      await program.change([route.mode, "--bg", "--yes", argumentOf(route.target)]);
      const after = await program.table();
      warnIfOthersChanged(before, after, route);
      if (!hasRoute(after, route)) throw await undone(route, before, after);
    } catch (error) {
      await restore(recordPath, intent);
      throw error;
    }
  }

  /**
   * After a failed change: takes off what has come to be all the same, as it may when the program ran out of
   * time, and keeps the record only of what was there before.
   */
  async function restore(recordPath: string, intent: ExposureRecord): Promise<void> {
    try {
      const table = await program.table();
      if (hasRoute(table, intent.route)) await takeOff(intent.route, table);
      const { previous } = intent;
      if (previous === undefined || !hasRoute(table, previous)) {
        await removeExposureRecord(recordPath);
      } else {
        await writeExposureRecord(recordPath, { ...withoutPrevious(intent), route: previous });
      }
    } catch (error) {
      logger.warn(
        { err: error, recordPath },
        "the record of the tailscale route is kept for repair",
      );
    }
  }

  /** Undoes a change that came out otherwise than asked for, as far as it is surely ours. */
  async function undone(
    route: Route,
    before: ServeTable,
    after: ServeTable,
  ): Promise<ExposureError> {
    const found = describeRoot(after, route.host);
    const other: Route = { ...route, mode: route.mode === "serve" ? "funnel" : "serve" };
    if (hasRoute(after, other)) await takeOff(other, after);
    else if (isEmptyTable(before) && found === "nothing" && isRemainder(after, route)) {
      await program.change(["serve", "reset"]);
    }
    return new ExposureError(
      "TAILSCALE_READBACK_MISMATCH",
      `tailscale ${route.mode} was told to serve ${route.target} as https://${route.host}/, and serves ${found}`,
      { hint: "See what is served: tailscale serve status." },
    );
  }

  /** Takes a route off that the table has, and reads back that it is gone. */
  async function takeOff(route: Route, table: ServeTable): Promise<void> {
    const { narrow, reset } = removalCommand(table, route);
    if (narrow !== undefined) await changeOr(narrow, reset);
    else if (reset !== undefined) await program.change(reset);
    else throw cannotTakeOff(route);
    const after = await program.table();
    warnIfOthersChanged(table, after, route);
    if (!hasRoute(after, route)) return;
    throw new ExposureError(
      "TAILSCALE_READBACK_MISMATCH",
      `tailscale was told to take off https://${route.host}/, and still serves it`,
      { hint: `Take it off by hand: tailscale serve --https=${SERVE_PORT} off` },
    );
  }

  /** Programs too old for the narrow command, and machines with another name by now, leave the other way. */
  async function changeOr(
    narrow: readonly string[],
    reset: readonly string[] | undefined,
  ): Promise<void> {
    try {
      await program.change(narrow);
    } catch (error) {
      if (reset === undefined || !isNotKnownThere(error)) throw error;
      await program.change(reset);
    }
  }

  function warnIfOthersChanged(before: ServeTable, after: ServeTable, route: Route): void {
    if (isSameTable(withoutRoute(before, route), withoutRoute(after, route))) return;
    logger.warn({ host: route.host }, "somebody else has changed what tailscale serves meanwhile");
  }

  function exposure(route: Route, recordPath: string, id: string | undefined): Exposure {
    let withdrawal: Promise<void> | undefined;
    return {
      mode: route.mode,
      url: `https://${route.host}/`,
      wsUrl: `wss://${route.host}`,
      isOwned: id !== undefined,
      check: () => check(route),
      withdraw: () => (withdrawal ??= inTurn(() => withdraw(route, recordPath, id))),
    };
  }

  async function check(route: Route): Promise<ExposureCheck> {
    try {
      const table = await program.table();
      if (hasRoute(table, route)) return { state: "open" };
      const found = describeRoot(table, route.host);
      return found === "nothing" ? { state: "gone" } : { state: "changed", found };
    } catch (error) {
      if (!(error instanceof ExposureError)) throw error;
      return { state: "unknown", problem: error };
    }
  }

  async function withdraw(route: Route, recordPath: string, id: string | undefined): Promise<void> {
    if (id === undefined) return;
    const record = await readExposureRecord(recordPath);
    // Another exposure has taken over since, and the route with it.
    if (record?.id !== id) return;
    const table = await program.table();
    if (hasRoute(table, route)) await takeOff(route, table);
    else logger.warn({ host: route.host }, "the tailscale route was changed, and is left as it is");
    await removeExposureRecord(recordPath);
    logger.info({ host: route.host }, `tailscale ${route.mode} disabled`);
  }

  async function repair(recordPath: string): Promise<RepairReport> {
    const record = await readExposureRecord(recordPath);
    if (record === undefined) return { outcome: "nothing" };
    const { route, owner } = record;
    // What this very process has left is its own to take off: its Gateway was closed, or starts anew.
    const isOurs = owner.pid === process.pid;
    if (!isOurs && (await isStillRunning(owner))) return { outcome: "held", route, pid: owner.pid };
    const table = await program.table();
    const left = routesOf(record).find((one) => hasRoute(table, one));
    if (left !== undefined) await takeOff(left, table);
    await removeExposureRecord(recordPath);
    if (left !== undefined) {
      logger.info(
        { host: left.host, pid: owner.pid },
        "removed the tailscale route of a gateway that is gone",
      );
      return { outcome: "removed", route: left };
    }
    const isGone = describeRoot(table, route.host) === "nothing";
    return { outcome: isGone ? "gone" : "changed", route };
  }

  return {
    expose: (options) => inTurn(() => expose(options)),
    repair: ({ recordPath }) => inTurn(() => repair(recordPath)),
    check,
  };
}

/** A record of this very process is that of an earlier exposure, and gives way. */
async function refuseIfHeld(
  record: ExposureRecord | undefined,
  self: ProcessIdentity,
): Promise<void> {
  if (record === undefined || record.owner.pid === self.pid) return;
  if (!(await isStillRunning(record.owner))) return;
  throw new ExposureError(
    "TAILSCALE_EXPOSURE_HELD",
    `process ${record.owner.pid} serves https://${record.route.host}/ for this Gateway's state directory`,
    {
      hint: "Stop that Gateway first, or give this one a profile of its own.",
      details: { pid: record.owner.pid },
    },
  );
}

function routeConflict({ mode, host, target }: Route, by: string): ExposureError {
  return new ExposureError(
    "TAILSCALE_ROUTE_CONFLICT",
    `tailscale ${mode} cannot serve ${target} as https://${host}/: port ${SERVE_PORT} has ${by}`,
    {
      hint: `See what is served with tailscale serve status; move it to another port, such as tailscale serve --https=8443, or set gateway.tailscale.mode to off.`,
    },
  );
}

function cannotTakeOff({ host }: Route): ExposureError {
  return new ExposureError(
    "TAILSCALE_ROUTE_CONFLICT",
    `https://${host}/ cannot be taken off without taking other routes on port ${SERVE_PORT} along`,
    { hint: "See what is served with tailscale serve status, and take it off by hand." },
  );
}

/** The tool takes a port alone for http://127.0.0.1:<port>, and the rest as it is. */
function argumentOf(target: string): string {
  return target.replace(/^http:\/\/127\.0\.0\.1:/u, "");
}

/** Whether nothing is served but what a route of ours brings along. */
function isRemainder(table: ServeTable, route: Route): boolean {
  return !isEmptyTable(table) && isEmptyTable(withoutRoute(table, route));
}

function isNotKnownThere(error: unknown): boolean {
  if (!(error instanceof ExposureError)) return false;
  return (
    error.code === "TAILSCALE_TOO_OLD" ||
    (error.details.output ?? "").includes("handler does not exist")
  );
}

function withoutPrevious({ id, route, owner, openedAtMs }: ExposureRecord): ExposureRecord {
  return { id, route, owner, openedAtMs };
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
