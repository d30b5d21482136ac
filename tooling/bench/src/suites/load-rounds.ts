import type { Figure, Target, Unit } from "../figure.ts";
import { toFigure } from "../figure.ts";
import { measureLatencies, measureRate } from "../load.ts";
import type { RequestText } from "../load.ts";
import { cpuMs } from "../process-stats.ts";
import { quantile } from "../statistics.ts";
import type { Running } from "../subjects.ts";
import type { WireClient } from "../wire-client.ts";
import { repeat } from "./suite.ts";

/** A server, a socket to it, and what is asked of it. */
export interface LoadSide {
  server: Running;
  client: WireClient;
  request: RequestText;
}

/** Options of {@link compareLoads}. */
export interface LoadOptions {
  /** First part of the names of the figures. */
  name: string;
  subject: string;
  rounds: number;
  /** Requests of a round, one after the other. */
  latencyCount: number;
  /** Requests of a round, 64 at a time. */
  rateCount: number;
  targets?: { p50: Target; rate: Target } | undefined;
}

const IN_FLIGHT = 64;

/** Puts the same load on a server and on the baseline, in turns. */
export async function compareLoads(
  side: LoadSide,
  baseline: LoadSide,
  { name, subject, rounds, latencyCount, rateCount, targets }: LoadOptions,
): Promise<Figure[]> {
  const measured = { side: emptySamples(), baseline: emptySamples() };
  const pair = [
    [side, measured.side],
    [baseline, measured.baseline],
  ] as const;

  for (const [target] of pair) await warmUp(target, latencyCount, rateCount);
  await repeat(rounds, async (index) => {
    // Who goes first changes, so that neither profits from what the other left behind.
    for (const [target, samples] of index % 2 === 0 ? pair : pair.toReversed()) {
      const cpuBefore = cpuMs(target.server.pid);
      const latencies = await measureLatencies(target.client, target.request, latencyCount);
      samples.cpuAlone.push(((cpuMs(target.server.pid) - cpuBefore) / latencyCount) * 1000);
      samples.p50.push(quantile(latencies, 0.5));
      samples.p99.push(quantile(latencies, 0.99));
    }
    for (const [target, samples] of index % 2 === 0 ? pair : pair.toReversed()) {
      const cpuBefore = cpuMs(target.server.pid);
      samples.rate.push(
        await measureRate(target.client, target.request, { count: rateCount, inFlight: IN_FLIGHT }),
      );
      samples.cpu.push(((cpuMs(target.server.pid) - cpuBefore) / rateCount) * 1000);
    }
  });

  const figure = (
    part: keyof LoadSamples,
    label: string,
    unit: Unit,
    target: Target | undefined,
  ): Figure =>
    toFigure({
      name: `${name} ${label}`,
      subject,
      unit,
      samples: measured.side[part],
      baseline: { name: "echo", samples: measured.baseline[part] },
      target,
    });
  return [
    figure("p50", "p50", "ms", targets?.p50),
    figure("p99", "p99", "ms", undefined),
    figure("rate", `rate, ${IN_FLIGHT} in flight`, "/s", targets?.rate),
    figure("cpuAlone", "server CPU, one by one", "µs", undefined),
    figure("cpu", `server CPU, ${IN_FLIGHT} in flight`, "µs", undefined),
  ];
}

interface LoadSamples {
  p50: number[];
  p99: number[];
  rate: number[];
  cpuAlone: number[];
  cpu: number[];
}

function emptySamples(): LoadSamples {
  return { p50: [], p99: [], rate: [], cpuAlone: [], cpu: [] };
}

async function warmUp(side: LoadSide, latencyCount: number, rateCount: number): Promise<void> {
  await measureLatencies(side.client, side.request, latencyCount);
  await measureRate(side.client, side.request, { count: rateCount, inFlight: IN_FLIGHT });
}
