import { defaultBackoff } from "./supervision/backoff.ts";

/** Defaults of `TunnelOptions`; those of keepalive and dial give way to what ssh_config says. */
export const defaultTunnelOptions = {
  connectTimeoutMs: 10_000,
  keepaliveIntervalMs: 15_000,
  keepaliveCountMax: 3,
  stableAfterMs: 10_000,
  waitTimeoutMs: 15_000,
  maxWaiting: 128,
  /** A question outside the schedule, for example after sleep. */
  probeTimeoutMs: 1_500,
  backoff: defaultBackoff,
} as const;
