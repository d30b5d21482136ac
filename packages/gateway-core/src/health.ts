import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { RawJson } from "@openclaw/protocol";

/** A summary is printed once and answered from memory for so long. */
const CACHE_MS = 1_000;
const DEFAULT_AGENT = "main";

/** Whether the Gateway is well, in the members that peers of every release read (wire §8.1). */
export interface Health {
  /** The summary as JSON text, at most a second old; `fresh` measures now. */
  summary(fresh?: boolean): RawJson;
  readonly version: number;
  stop(): void;
}

export interface HealthFacts {
  connections: number;
  nodesConnected: number;
  invocationsOpen: number;
}

/** Channels, agents and sessions are members that peers expect; this Gateway has none of them yet. */
export function createHealth(options: { now: () => number; facts: () => HealthFacts }): Health {
  const { now } = options;
  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();
  let cached: { text: RawJson; at: number } | undefined;
  let version = 1;

  return {
    get version() {
      return version;
    },
    summary(fresh = false) {
      const at = now();
      if (cached && !fresh && at - cached.at < CACHE_MS && at >= cached.at) return cached.text;
      const started = performance.now();
      const summary = {
        ok: true,
        ts: at,
        durationMs: 0,
        channels: {},
        channelOrder: [],
        channelLabels: {},
        heartbeatSeconds: 0,
        defaultAgentId: DEFAULT_AGENT,
        agents: [],
        sessions: { path: "", count: 0, recent: [] },
        gateway: options.facts(),
        eventLoop: {
          meanMs: milliseconds(loop.mean),
          p99Ms: milliseconds(loop.percentile(99)),
          maxMs: milliseconds(loop.max),
        },
        rssBytes: process.memoryUsage.rss(),
      };
      loop.reset();
      summary.durationMs = Math.round(performance.now() - started);
      cached = { text: new RawJson(JSON.stringify(summary)), at };
      version += 1;
      return cached.text;
    },
    stop: () => void loop.disable(),
  };
}

function milliseconds(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? Math.round(nanoseconds / 1e4) / 100 : 0;
}
