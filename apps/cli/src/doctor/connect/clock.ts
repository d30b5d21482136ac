import type { Duplex } from "node:stream";
import { fetchPage } from "./http-probe.ts";

/** Clocks may differ by this much before anybody minds. */
const TOLERATED_SKEW_MS = 5 * 60_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The clock of a server, of the `Date` of a page that anybody may see. It proves nothing; it hints. */
export async function dateOfServer(
  stream: Duplex,
  options: { host: string; timeoutMs: number; signal: AbortSignal },
): Promise<number | undefined> {
  const answer = await fetchPage(stream, { ...options, path: "/healthz" });
  return answer.kind === "http" ? parseDate(answer.headers.date) : undefined;
}

export function parseDate(header: string | undefined): number | undefined {
  const ms = Date.parse(header ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

export function isSkewed(skewMs: number): boolean {
  return Math.abs(skewMs) > TOLERATED_SKEW_MS;
}

/** `365 days ahead of it`, of this machine's clock and another's. */
export function describeSkew(skewMs: number): string {
  const size = Math.abs(skewMs);
  const [amount, unit] =
    size >= DAY_MS
      ? [size / DAY_MS, "days"]
      : size >= HOUR_MS
        ? [size / HOUR_MS, "hours"]
        : [size / MINUTE_MS, "minutes"];
  return `${Math.round(amount)} ${unit} ${skewMs > 0 ? "ahead of it" : "behind it"}`;
}
