import { type IntervalHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";
import process from "node:process";
import { RawJson } from "@openclaw/protocol";

/** A summary is printed once and answered from memory for so long. */
const CACHE_MS = 1_000;
const DEFAULT_AGENT = "main";
/** Beyond these the loop counts as degraded: peers begin to notice. */
const DEGRADED_DELAY_MS = 250;
const DEGRADED_UTILIZATION = 0.95;

/** Whether the Gateway is well, in the members that peers of every release read (wire §8.1). */
export interface Health {
  /** The summary as JSON text, at most a second old; `fresh` measures now. */
  summary(fresh?: boolean): RawJson;
  readonly version: number;
  stop(): void;
}

/**
 * Channels, agents and sessions are members that peers expect; this Gateway has none of them yet.
 * The object is closed: published clients check it, and a member of ours would fail their hello.
 */
export function createHealth(options: { now: () => number }): Health {
  const { now } = options;
  const loop = createLoopMeter();
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
      const eventLoop = loop.read();
      const summary = {
        ok: true,
        ts: at,
        durationMs: Math.round(performance.now() - started),
        eventLoop,
        channels: {},
        channelOrder: [],
        channelLabels: {},
        heartbeatSeconds: 0,
        defaultAgentId: DEFAULT_AGENT,
        agents: [],
        sessions: { path: "", count: 0, recent: [] },
      };
      cached = { text: new RawJson(JSON.stringify(summary)), at };
      version += 1;
      return cached.text;
    },
    stop: loop.stop,
  };
}

interface LoopReading {
  degraded: boolean;
  reasons: ("event_loop_delay" | "event_loop_utilization")[];
  intervalMs: number;
  delayP99Ms: number;
  delayMaxMs: number;
  /** 0 to 1: how much of the interval the loop was busy. */
  utilization: number;
  /** CPU seconds for each second. */
  cpuCoreRatio: number;
}

/** Measures the event loop from one reading to the next. */
function createLoopMeter(): { read(): LoopReading; stop(): void } {
  const delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 50 });
  delay.enable();
  let readAt = performance.now();
  let utilization = performance.eventLoopUtilization();
  let cpu = process.cpuUsage();

  return {
    read() {
      const at = performance.now();
      const intervalMs = Math.max(1, at - readAt);
      const busy = performance.eventLoopUtilization(utilization).utilization;
      const used = process.cpuUsage(cpu);
      const delayP99Ms = milliseconds(delay.percentile(99));
      const reasons: LoopReading["reasons"] = [];
      if (delayP99Ms > DEGRADED_DELAY_MS) reasons.push("event_loop_delay");
      if (busy > DEGRADED_UTILIZATION) reasons.push("event_loop_utilization");
      const reading = {
        degraded: reasons.length > 0,
        reasons,
        intervalMs: rounded(intervalMs),
        delayP99Ms,
        delayMaxMs: milliseconds(delay.max),
        utilization: rounded(busy),
        cpuCoreRatio: rounded((used.user + used.system) / 1_000 / intervalMs),
      };
      delay.reset();
      readAt = at;
      utilization = performance.eventLoopUtilization();
      cpu = process.cpuUsage();
      return reading;
    },
    stop: () => void delay.disable(),
  };
}

function milliseconds(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? rounded(nanoseconds / 1e6) : 0;
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
