import type { ExposureError } from "../exposure-error.ts";
import type { ExposureMode, Route } from "./serve-table.ts";
import type { TailnetIdentity } from "./tailnet-identity.ts";
import type { TailscaleStatus } from "./tailscale-status.ts";

/** Tailscale on this machine, driven through its program. */
export interface Tailscale {
  /** What Tailscale says about this machine. Never rejects for a failure of Tailscale: that is `problem`. */
  status(): Promise<TailscaleStatus>;
  /**
   * Who is behind an address of the tailnet; undefined when nobody is known there, when it is no address
   * of a tailnet, and when Tailscale does not answer, which is logged. Never rejects.
   *
   * Answers are remembered for 60 s, and that nobody is known for 5 s.
   */
  whois(address: string): Promise<TailnetIdentity | undefined>;
  /**
   * Serves a port of 127.0.0.1 as `https://<this machine>/`, and reads back that it is so. A route that
   * this Gateway has left behind is adopted, or replaced; everything else that is served stays as it is.
   *
   * @throws {ExposureError} each with a hint; then nothing is served that was not served before.
   */
  expose(options: ExposeOptions): Promise<Exposure>;
  /**
   * Takes off what a Gateway that is gone has left behind. Runs no program when there is no record, or
   * when its owner still runs.
   *
   * @throws {ExposureError}
   */
  repair(options: { recordPath: string }): Promise<RepairReport>;
  /** How a route fares that is on record. Changes nothing; never rejects for a failure of Tailscale. */
  check(route: Route): Promise<ExposureCheck>;
}

/** Options of {@link Tailscale.expose}. */
export interface ExposeOptions {
  /** Serve reaches the tailnet, Funnel the whole internet. */
  mode: ExposureMode;
  /** Port of the Gateway on 127.0.0.1. */
  port: number;
  /** Whether that port speaks TLS; its certificate is not checked, since it is on this machine. @default false */
  isTls?: boolean;
  /** File in the state directory that says which route is ours. */
  recordPath: string;
  /** Gives up waiting for Tailscale to start; what has begun to be changed is finished. */
  signal?: AbortSignal;
}

/** A port that is served. */
export interface Exposure {
  readonly mode: ExposureMode;
  /** `https://box.tail1234.ts.net/` */
  readonly url: string;
  /** `wss://box.tail1234.ts.net` */
  readonly wsUrl: string;
  /**
   * Whether the route is ours to take off. A route that somebody has made by hand and that does what was
   * asked for is used as it is, and stays.
   */
  readonly isOwned: boolean;
  /** Reads the table again. Never rejects for a failure of Tailscale. */
  check(): Promise<ExposureCheck>;
  /**
   * Takes our route off, if it is still ours, and reads back that it is gone. A second call returns the
   * first promise. When it fails the record stays, and the next start repairs.
   *
   * @throws {ExposureError}
   */
  withdraw(): Promise<void>;
}

/** How an exposure fares. */
export interface ExposureCheck {
  /**
   * - `open`: as it was opened.
   * - `gone`: somebody has taken it off.
   * - `changed`: something else is served there; `found` says what.
   * - `unknown`: Tailscale does not say; `problem` is why.
   */
  readonly state: "open" | "gone" | "changed" | "unknown";
  readonly found?: string;
  readonly problem?: ExposureError;
}

/** What {@link Tailscale.repair} has found and done. */
export interface RepairReport {
  /**
   * - `nothing`: there is no record.
   * - `held`: its owner runs; `pid`.
   * - `removed`: the route was left behind, and is gone now.
   * - `gone`: the route was gone already; so is the record now.
   * - `changed`: something else is served there now, and stays; the record is gone.
   */
  readonly outcome: "nothing" | "held" | "removed" | "gone" | "changed";
  readonly route?: Route;
  readonly pid?: number;
}
