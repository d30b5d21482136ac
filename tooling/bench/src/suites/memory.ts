import { setTimeout as delay } from "node:timers/promises";
import { toFigure } from "../figure.ts";
import { rssBytes } from "../process-stats.ts";
import { median } from "../statistics.ts";
import type { RunningGateway } from "../subjects.ts";
import { connectMany } from "./connect-many.ts";
import type { Suite } from "./suite.ts";

const CONNECTIONS = 2_000;
/** Fewer than a Gateway lets one address have before the handshake. */
const AT_ONCE = 16;

/** Resident memory: idle, and for each of 2,000 connections that do nothing. */
export const memorySuite: Suite = async ({ launcher, isQuick, hasTargets, progress }) => {
  const idle: number[] = [];
  const each: number[] = [];
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
    await using gateway = await launcher.start();
    await delay(5_000);
    idle.push((await settledRss(gateway)) / 1e6);
    // The first connections load code and grow tables that the later ones share.
    const first = await connectMany(gateway, 50, AT_ONCE);
    const before = await settledRss(gateway);
    progress(`${CONNECTIONS} connections`);
    const more = await connectMany(gateway, CONNECTIONS, AT_ONCE);
    each.push(((await settledRss(gateway)) - before) / CONNECTIONS / 1e3);
    await Promise.all([...first, ...more].map((client) => client.close()));
  }
  const { name: subject } = launcher;
  return [
    toFigure({
      name: "rss idle",
      subject,
      unit: "MB",
      samples: idle,
      target: hasTargets ? { of: "value", atMost: 90 } : undefined,
    }),
    toFigure({
      name: "rss each connection",
      subject,
      unit: "KB",
      samples: each,
      target: hasTargets ? { of: "value", atMost: 30 } : undefined,
    }),
  ];
};

/** Median over a few seconds, so that neither a peak nor a collection decides. */
async function settledRss(gateway: RunningGateway): Promise<number> {
  const samples: number[] = [];
  for (let index = 0; index < 10; index += 1) {
    await delay(300);
    samples.push(rssBytes(gateway.pid));
  }
  return median(samples);
}
