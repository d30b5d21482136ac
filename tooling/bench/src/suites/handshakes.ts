import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { createTestIdentity, startProcess } from "@openclaw/testkit";
import { toFigure } from "../figure.ts";
import { quantile } from "../statistics.ts";
import { startEcho } from "../subjects.ts";
import type { Running, RunningGateway } from "../subjects.ts";
import { connectWire } from "../wire-client.ts";
import type { WireClient } from "../wire-client.ts";
import { sourceArgs } from "../workspace.ts";
import { connectMany } from "./connect-many.ts";
import { profileArgs, repeat } from "./suite.ts";
import type { Suite } from "./suite.ts";

/** Clients that are connected and work. */
const CLIENTS = 2_000;
/** Handshakes that come in meanwhile and fail. */
const BAD_HANDSHAKES = 10_000;
/** At once, for good ones and bad ones alike. */
const AT_ONCE = 16;
/** Calls of a quiet round. */
const QUIET_CALLS = 3_000;

/** Handshakes a second, and what the connected clients notice of 10,000 that fail. */
export const handshakesSuite: Suite = async (context) => {
  const { launcher, isQuick, hasTargets, progress } = context;
  await using echo = await startEcho();
  await using gateway = await launcher.start({ execArgv: profileArgs(context, "handshakes") });

  const rates = { gateway: [] as number[], echo: [] as number[] };
  await repeat(isQuick ? 1 : 5, async () => {
    rates.gateway.push(await handshakeRate(gateway));
    rates.echo.push(await handshakeRate(echo));
  });

  progress(`${CLIENTS} clients`);
  const clients = await connectMany(gateway, CLIENTS, AT_ONCE);
  await callInTurn(clients, { count: QUIET_CALLS });
  // Whoever knocks here runs on this machine too, and takes processor time from all: beside another
  // Gateway the same knocking shows how much of the waiting is only that.
  await using other = await launcher.start({});
  const p99 = { quiet: [] as number[], elsewhere: [] as number[], stormy: [] as number[] };
  const bad: number[] = [];
  const joins: number[] = [];
  const device = { identity: createTestIdentity(), scopes: ["operator.read"] };
  const { url, token } = gateway;
  const paired = await connectWire(url, { connect: { ...device, token } });
  const auth = paired.hello?.["auth"] as { deviceToken: string };
  await paired.close();
  const own = { ...device, deviceToken: auth.deviceToken };
  const join = async (): Promise<WireClient> => connectWire(url, { connect: own });
  await repeat(isQuick ? 1 : 3, async () => {
    p99.quiet.push(quantile(await callInTurn(clients, { count: QUIET_CALLS }), 0.99));
    progress(`${BAD_HANDSHAKES} bad handshakes`);
    const elsewhere = await underBadHandshakes(other, clients, join);
    p99.elsewhere.push(quantile(elsewhere.latencies, 0.99));
    const storm = await underBadHandshakes(gateway, clients, join);
    joins.push(quantile(storm.joinsMs, 0.99));
    p99.stormy.push(quantile(storm.latencies, 0.99));
    bad.push(storm.perSecond);
  });
  await Promise.all(clients.map((client) => client.close()));
  await gateway.stop();
  await other.stop();

  const { name: subject } = launcher;
  return [
    toFigure({
      name: `handshakes, ${AT_ONCE} at once`,
      subject,
      unit: "/s",
      samples: rates.gateway,
      baseline: { name: "echo, no handshake", samples: rates.echo },
    }),
    toFigure({
      name: `rpc health p99, ${CLIENTS} clients, ${BAD_HANDSHAKES} bad handshakes meanwhile`,
      subject,
      unit: "ms",
      samples: p99.stormy,
      baseline: { name: "the same at another Gateway", samples: p99.elsewhere },
      target: hasTargets ? { of: "ratio", atMost: 2 } : undefined,
    }),
    toFigure({
      name: `rpc health p99, ${CLIENTS} clients, the same again`,
      subject,
      unit: "ms",
      samples: p99.stormy,
      baseline: { name: "none meanwhile", samples: p99.quiet },
    }),
    toFigure({
      name: "a paired device connects meanwhile, p99",
      subject,
      unit: "ms",
      samples: joins,
      target: hasTargets ? { of: "value", atMost: 250 } : undefined,
    }),
    toFigure({ name: "bad handshakes refused", subject, unit: "/s", samples: bad }),
  ];
};

/** Connects and leaves, so many at once, and says how often a second. */
async function handshakeRate(server: Running): Promise<number> {
  const count = 800;
  let left = count;
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await (await server.connect()).close();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (count / (performance.now() - startedAt)) * 1_000;
}

async function underBadHandshakes(
  gateway: RunningGateway,
  clients: readonly WireClient[],
  join: () => Promise<WireClient>,
): Promise<{ latencies: number[]; joinsMs: number[]; perSecond: number }> {
  // A process of its own, so that what it costs to make them is not counted as waiting.
  const args = [gateway.url, String(BAD_HANDSHAKES), String(AT_ONCE)];
  await using storm = startProcess(process.execPath, [
    ...sourceArgs("./bad-handshakes-main.ts"),
    ...args,
  ]);
  await storm.line(/^begun/m);
  const over = storm.line(/^done (?<seconds>[\d.]+)/m, { deadlineMs: 300_000 });
  let isOver = false;
  void over.finally(() => (isOver = true)).catch(() => undefined);
  const until = (): boolean => isOver;
  const [latencies, joinsMs] = await Promise.all([
    callInTurn(clients, { until }),
    joinInTurn(join, until),
  ]);
  return {
    latencies,
    joinsMs,
    perSecond: BAD_HANDSHAKES / Number((await over).groups?.["seconds"]),
  };
}

/** A device that comes and goes, several times a second. */
async function joinInTurn(
  join: () => Promise<WireClient>,
  until: () => boolean,
): Promise<number[]> {
  const times: number[] = [];
  while (!until()) {
    const startedAt = performance.now();
    const client = await join();
    times.push(performance.now() - startedAt);
    await client.close();
    await delay(200);
  }
  return times;
}

/** One call after the other, each by the next client. */
async function callInTurn(
  clients: readonly WireClient[],
  { count = Infinity, until = () => false }: { count?: number; until?: () => boolean },
): Promise<number[]> {
  const latencies: number[] = [];
  for (let index = 0; index < count && !until(); index += 1) {
    const client = clients[index % clients.length];
    const startedAt = performance.now();
    await client?.call("health", {});
    latencies.push(performance.now() - startedAt);
  }
  return latencies;
}
