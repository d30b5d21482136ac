import type { HelperReport, NetworkOptions } from "./helper/messages.ts";
import { type Helper, startHelper } from "./helper/start-helper.ts";
import type { GatewayFacts } from "./service-record.ts";

/** Where an announcement tells what happens: fields first, then a constant message. */
export interface DiscoveryLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Options of {@link announce}. */
export interface AnnounceOptions {
  readonly facts: GatewayFacts;
  readonly network?: NetworkOptions | undefined;
  /** @default drops everything */
  readonly logger?: DiscoveryLogger | undefined;
  /** Told at each change. */
  readonly onState?: ((state: AnnouncementState) => void) | undefined;
  readonly timing?: Partial<AnnounceTiming> | undefined;
  /** @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** How patient an announcement is, in milliseconds. */
export interface AnnounceTiming {
  /** Ceiling of the first pause before a helper that died is started again. */
  readonly restartMs: number;
  /** Ceiling of every such pause. */
  readonly maxRestartMs: number;
  /** A helper that lived as long begins again with short pauses. */
  readonly stableMs: number;
  /** Between two questions whether the helper is alive, and the addresses still the same. */
  readonly checkMs: number;
  /** A helper that has not answered by then is ended. */
  readonly answerMs: number;
  /** How long the goodbye may take. */
  readonly goodbyeMs: number;
}

export const defaultAnnounceTiming: AnnounceTiming = {
  restartMs: 1_000,
  maxRestartMs: 300_000,
  stableMs: 60_000,
  checkMs: 60_000,
  answerMs: 10_000,
  goodbyeMs: 500,
};

/** Where an announcement stands. */
export type AnnouncementState =
  | { readonly kind: "starting"; readonly pid: number | undefined }
  | {
      readonly kind: "announced";
      readonly name: string;
      readonly host: string;
      readonly pid: number | undefined;
    }
  /** The helper is gone, and the next one starts after the pause. */
  | { readonly kind: "waiting"; readonly reason: string; readonly pauseMs: number }
  | { readonly kind: "closed" };

/** A Gateway that can be found on the local network. */
export interface Announcement extends AsyncDisposable {
  readonly state: AnnouncementState;
  /** Says goodbye to the network and ends the helper. Never rejects. */
  close(): Promise<void>;
}

/**
 * Announces a Gateway on the local network until it is closed. Returns at once: all the work is done
 * by a process of its own, which is started again when it ends. What comes in from the network is
 * read there; here arrive only the names that the Gateway got. Does not keep this process alive.
 */
export function announce(options: AnnounceOptions): Announcement {
  const { facts, network = {}, logger, onState = () => {}, random = Math.random } = options;
  const timing = { ...defaultAnnounceTiming, ...options.timing };
  let state: AnnouncementState = { kind: "starting", pid: undefined };
  let helper: Helper | undefined;
  let attempt = 0;
  let restart: NodeJS.Timeout | undefined;
  let closing: Promise<void> | undefined;
  let lastReason = "";

  const become = (next: AnnouncementState): void => {
    state = next;
    onState(next);
  };

  const start = (): void => {
    const startedAt = Date.now();
    let answer: NodeJS.Timeout | undefined;
    const current = startHelper((report) => {
      if (report.kind !== "checked") return hear(report, current.pid);
      clearTimeout(answer);
      answer = undefined;
    });
    helper = current;
    become({ kind: "starting", pid: current.pid });
    current.tell({ kind: "announce", facts, network });
    const checks = setInterval(() => {
      current.tell({ kind: "check" });
      answer ??= setTimeout(() => current.kill(), timing.answerMs).unref();
    }, timing.checkMs).unref();
    void current.exited.then(({ reason }) => {
      clearInterval(checks);
      clearTimeout(answer);
      if (closing !== undefined) return;
      if (Date.now() - startedAt >= timing.stableMs) attempt = 0;
      const ceilingMs = Math.min(timing.maxRestartMs, timing.restartMs * 2 ** attempt);
      attempt += 1;
      const pauseMs = Math.round(random() * ceilingMs);
      // The same reason again and again is one line.
      if (reason !== lastReason) logger?.warn({ reason, pauseMs }, "discovery helper ended");
      lastReason = reason;
      restart = setTimeout(start, pauseMs).unref();
      become({ kind: "waiting", reason, pauseMs });
    });
  };

  const hear = (report: HelperReport, pid: number | undefined): void => {
    switch (report.kind) {
      case "announced": {
        const { name, host } = report;
        logger?.info({ name, host, port: facts.port }, "gateway announced on the local network");
        become({ kind: "announced", name, host, pid });
        return;
      }
      case "conflict":
        logger?.warn({ name: report.name }, "discovery name is taken, trying the next");
        return;
      case "problem":
        logger?.debug({ problem: report.message }, "discovery problem");
        return;
      default:
        // Nothing that an announcement asks for.
        return;
    }
  };

  const close = async (): Promise<void> => {
    clearTimeout(restart);
    const last = helper;
    if (last !== undefined && state.kind !== "waiting") {
      last.tell({ kind: "withdraw" });
      const deadline = setTimeout(() => last.kill(), timing.goodbyeMs);
      await last.exited;
      clearTimeout(deadline);
    }
    become({ kind: "closed" });
  };

  start();
  return {
    get state() {
      return state;
    },
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}
