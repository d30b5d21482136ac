import { createFaultProxy, hasSshd, sshTestRig } from "@openclaw/testkit";
import { type Figure, toFigure, type Target, type Unit } from "../figure.ts";
import { cpuMs, rssBytes } from "../process-stats.ts";
import { startFarSide } from "../tunnel/far-side.ts";
import { nativeBinding } from "../tunnel/native-binding.ts";
import { measureHealthOverSsh } from "../tunnel/remote-command.ts";
import { echo, opens, pull, push } from "../tunnel/tunnel-load.ts";
import {
  opensshSubject,
  type RunningTunnel,
  tunnelSubject,
  type TunnelSubject,
} from "../tunnel/tunnel-subjects.ts";
import { repeat, type Suite } from "./suite.ts";

/** Delay of the long link, there and back. */
const ROUND_TRIP_MS = 50;

interface Measurement {
  readonly name: string;
  readonly unit: Unit;
  readonly target?: ((subject: string) => Target | undefined) | undefined;
}

/**
 * Forwards through a real OpenSSH server, beside the system's `ssh -N -L` with the same cipher: bulk,
 * echo, connections, CPU and memory; then bulk over a link with a delay.
 */
export const tunnelSuite: Suite = async (context) => {
  const { launcher, isQuick, hasTargets, progress } = context;
  if (!hasTargets || launcher.slowness > 1) return [];
  if (!hasSshd) {
    progress("skipped: there is no sshd (Debian package openssh-server)");
    return [];
  }
  const binding = await nativeBinding(progress);
  const subjects = [
    tunnelSubject("tunnel (JavaScript)", "ssh2"),
    ...(binding === undefined ? [] : [tunnelSubject("tunnel (native)", "ssh2", binding)]),
    tunnelSubject("tunnel (system ssh)", "system"),
  ];
  await using rig = await sshTestRig({
    server: { config: ["MaxStartups 100:100:100", "MaxSessions 1000"] },
  });
  await using far = await startFarSide();
  const figures = await compare(subjects, isQuick ? 2 : 5, progress, {
    start: (subject) => subject.start(rig, far, rig.server.port),
    measure: (tunnel) => measureAll(tunnel, isQuick),
    measurements: NEAR,
  });
  await using proxy = await createFaultProxy({ target: rig.server });
  const conditions = { delayMs: ROUND_TRIP_MS / 2 };
  proxy.set({ toTarget: conditions, toClient: conditions });
  const distant = await compare(subjects, isQuick ? 1 : 3, progress, {
    start: (subject) => subject.start(rig, far, proxy.port),
    measure: (tunnel) => measureDistant(tunnel, isQuick),
    measurements: DISTANT,
  });
  return [...(await measureHealthOverSsh(context, rig)), ...figures, ...distant];
};

const isSystem = (subject: string): boolean => subject.includes("system");
const atLeastShare = (subject: string): Target | undefined => {
  if (isSystem(subject)) return undefined;
  return { of: "ratio", atLeast: subject.includes("native") ? 0.9 : 0.55 };
};
const bound =
  (target: Target) =>
  (subject: string): Target | undefined =>
    isSystem(subject) ? undefined : target;

const NEAR: Record<string, Measurement> = {
  push1: { name: "tunnel push, 1 stream", unit: "MB/s", target: atLeastShare },
  pull1: { name: "tunnel pull, 1 stream", unit: "MB/s", target: atLeastShare },
  push20: { name: "tunnel push, 20 streams", unit: "MB/s", target: atLeastShare },
  pull20: { name: "tunnel pull, 20 streams", unit: "MB/s", target: atLeastShare },
  pushCpu: { name: "tunnel push, client CPU", unit: "s/GB" },
  pullCpu: { name: "tunnel pull, client CPU", unit: "s/GB" },
  p50: { name: "tunnel echo 1 KB p50", unit: "µs", target: bound({ of: "ratio", atMost: 1.2 }) },
  p99: { name: "tunnel echo 1 KB p99", unit: "µs", target: bound({ of: "ratio", atMost: 0.02 }) },
  opens1: {
    name: "tunnel opens, 1 at once",
    unit: "/s",
    target: bound({ of: "ratio", atLeast: 1 }),
  },
  opens16: {
    name: "tunnel opens, 16 at once",
    unit: "/s",
    target: bound({ of: "ratio", atLeast: 1 }),
  },
  rss: { name: "tunnel memory after load", unit: "MB" },
};

const DISTANT: Record<string, Measurement> = {
  push1: { name: `${ROUND_TRIP_MS} ms link push, 1 stream`, unit: "MB/s" },
  pull1: { name: `${ROUND_TRIP_MS} ms link pull, 1 stream`, unit: "MB/s" },
  push4: {
    name: `${ROUND_TRIP_MS} ms link push, 4 streams`,
    unit: "MB/s",
    target: bound({ of: "ratio", atLeast: 0.9 }),
  },
  pull4: {
    name: `${ROUND_TRIP_MS} ms link pull, 4 streams`,
    unit: "MB/s",
    target: bound({ of: "ratio", atLeast: 0.9 }),
  },
  push20: { name: `${ROUND_TRIP_MS} ms link push, 20 streams`, unit: "MB/s" },
  pull20: { name: `${ROUND_TRIP_MS} ms link pull, 20 streams`, unit: "MB/s" },
};

type Samples = Record<string, number>;

interface Comparison {
  start(subject: TunnelSubject): Promise<RunningTunnel>;
  measure(tunnel: RunningTunnel): Promise<Samples>;
  readonly measurements: Record<string, Measurement>;
}

/** Measures the baseline and every subject in turns, a round of each after the other. */
async function compare(
  subjects: readonly TunnelSubject[],
  rounds: number,
  progress: (text: string) => void,
  { start, measure, measurements }: Comparison,
): Promise<Figure[]> {
  const all = [opensshSubject, ...subjects];
  const samples = new Map<string, Samples[]>(all.map(({ name }) => [name, []]));
  await repeat(rounds, async (index) => {
    // Who goes first changes from round to round.
    const order = index % 2 === 0 ? all : all.toReversed();
    for (const subject of order) {
      progress(`round ${index + 1} of ${rounds}: ${subject.name}`);
      await using tunnel = await start(subject);
      samples.get(subject.name)?.push(await measure(tunnel));
    }
  });
  const values = (subject: string, key: string): number[] =>
    (samples.get(subject) ?? []).map((sample) => sample[key] ?? Number.NaN);
  return Object.entries(measurements).flatMap(([key, { name, unit, target }]) =>
    subjects.map((subject) =>
      toFigure({
        name,
        subject: subject.name,
        unit,
        samples: values(subject.name, key),
        baseline: { name: opensshSubject.name, samples: values(opensshSubject.name, key) },
        target: target?.(subject.name),
      }),
    ),
  );
}

async function measureAll(tunnel: RunningTunnel, isQuick: boolean): Promise<Samples> {
  const bytes = isQuick ? 1e8 : 5e8;
  // Warm: code is compiled, and our tunnel has had its say with the server.
  await echo(tunnel.echo, 2_000);
  await push(tunnel.sink, bytes / 4, 1);
  const beforePush = cpuMs(tunnel.pid);
  const push1 = await push(tunnel.sink, bytes, 1);
  const beforePull = cpuMs(tunnel.pid);
  const pull1 = await pull(tunnel.source, bytes, 1);
  const afterPull = cpuMs(tunnel.pid);
  const { p50, p99 } = await echo(tunnel.echo, isQuick ? 1_000 : 4_000);
  return {
    push1,
    pull1,
    pushCpu: (beforePull - beforePush) / 1e3 / (bytes / 1e9),
    pullCpu: (afterPull - beforePull) / 1e3 / (bytes / 1e9),
    push20: await push(tunnel.sink, bytes, 20),
    pull20: await pull(tunnel.source, bytes, 20),
    p50,
    p99,
    opens1: await opens(tunnel.echo, 1, isQuick ? 500 : 1_500),
    opens16: await opens(tunnel.echo, 16, isQuick ? 500 : 1_500),
    rss: rssBytes(tunnel.pid) / 1e6,
  };
}

async function measureDistant(tunnel: RunningTunnel, isQuick: boolean): Promise<Samples> {
  const bytes = isQuick ? 1e7 : 4e7;
  const samples: Samples = {};
  await echo(tunnel.echo, 20);
  for (const streams of [1, 4, 20]) {
    const total = streams === 1 ? bytes : bytes * 3;
    samples[`push${streams}`] = await push(tunnel.sink, total, streams);
    samples[`pull${streams}`] = await pull(tunnel.source, total, streams);
  }
  return samples;
}
