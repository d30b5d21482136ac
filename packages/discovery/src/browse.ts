import { type Beacon, beaconOf, mergeBeacons } from "./beacon.ts";
import type { NetworkOptions } from "./helper/messages.ts";
import { type Helper, startHelper } from "./helper/start-helper.ts";

/** Options of {@link browse}. */
export interface BrowseOptions {
  /** How long to listen, from when there is a socket to listen on. */
  readonly timeoutMs: number;
  readonly network?: NetworkOptions | undefined;
  /** Told why something may be missing; one line each. */
  readonly onProblem?: ((message: string) => void) | undefined;
  /** Told of each answer; the result has them merged. */
  readonly onBeacon?: ((beacon: Beacon) => void) | undefined;
  /** Ends the listening early; what was found by then is the result. */
  readonly signal?: AbortSignal | undefined;
}

/** How long the helper may take until it listens. */
const START_MS = 5_000;
/** A helper that dies is started again at most as often. */
const MAX_RESTARTS = 3;
/** Answers that are kept; more are no network but an attack. */
const MAX_ANSWERS = 500;

/**
 * Listens for Gateways on the local network, in a process of its own. The result is sorted by name
 * and a list of hints: nothing in it is proof of anything. Never rejects; what is in the way of
 * finding something is told to `onProblem`.
 */
export async function browse(options: BrowseOptions): Promise<Beacon[]> {
  const { timeoutMs, network = {}, onProblem = () => {}, onBeacon = () => {}, signal } = options;
  const found: Beacon[] = [];
  const over = Promise.withResolvers<void>();
  let timer = setTimeout(over.resolve, START_MS + timeoutMs);
  signal?.addEventListener("abort", () => over.resolve(), { once: true });
  if (signal?.aborted === true) over.resolve();

  let helper: Helper | undefined;
  let isOver = false;
  const listen = (restarts: number): void => {
    helper = startHelper((report) => {
      if (report.kind === "problem") onProblem(report.message);
      if (report.kind === "browsing" && restarts === 0) {
        clearTimeout(timer);
        timer = setTimeout(over.resolve, timeoutMs);
      }
      if (report.kind !== "seen" || isOver || found.length >= MAX_ANSWERS) return;
      const beacon = beaconOf(report.service);
      found.push(beacon);
      onBeacon(beacon);
    });
    helper.tell({ kind: "browse", network });
    void helper.exited.then(({ reason }) => {
      if (isOver) return;
      onProblem(`the discovery helper ended: ${reason}`);
      if (restarts < MAX_RESTARTS) listen(restarts + 1);
      else over.resolve();
    });
  };
  listen(0);
  await over.promise;
  isOver = true;
  clearTimeout(timer);
  helper?.kill();
  return mergeBeacons(found);
}
