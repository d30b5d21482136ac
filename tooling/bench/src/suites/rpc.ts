import type { Figure } from "../figure.ts";
import { toFigure } from "../figure.ts";
import { startEcho } from "../subjects.ts";
import type { Running } from "../subjects.ts";
import { median } from "../statistics.ts";
import { compareLoads } from "./load-rounds.ts";
import { profileArgs, repeat } from "./suite.ts";
import type { Suite } from "./suite.ts";

/** Calls that answer from memory. The first is the one the targets are about. */
const METHODS = ["health", "node.list", "last-heartbeat"];

/** A connection with handshake, and light calls one by one and 64 at a time, beside the echo. */
export const rpcSuite: Suite = async (context) => {
  const { launcher, isQuick, hasTargets, progress } = context;
  await using echo = await startEcho();
  await using gateway = await launcher.start({ execArgv: profileArgs(context, "rpc") });
  const figures: Figure[] = [await connects(launcher.name, gateway, echo, isQuick)];
  const sockets = { gateway: await gateway.connect(), echo: await echo.connect() };
  for (const [index, method] of METHODS.entries()) {
    progress(method);
    const request = (id: number): string =>
      `{"type":"req","id":"${id}","method":"${method}","params":{}}`;
    figures.push(
      ...(await compareLoads(
        { server: gateway, client: sockets.gateway, request },
        { server: echo, client: sockets.echo, request },
        {
          name: `rpc ${method}`,
          subject: launcher.name,
          rounds: isQuick ? 3 : index === 0 ? 15 : 7,
          latencyCount: Math.ceil(2_000 / launcher.slowness),
          rateCount: Math.ceil(20_000 / launcher.slowness),
          targets:
            hasTargets && index === 0
              ? { p50: { of: "ratio", atMost: 1.3 }, rate: { of: "ratio", atLeast: 0.6 } }
              : undefined,
        },
      )),
    );
  }
  await Promise.all([sockets.gateway.close(), sockets.echo.close()]);
  await gateway.stop();
  return figures;
};

async function connects(
  subject: string,
  gateway: Running,
  echo: Running,
  isQuick: boolean,
): Promise<Figure> {
  const samples = { gateway: [] as number[], echo: [] as number[] };
  await repeat(isQuick ? 3 : 10, async () => {
    samples.gateway.push(await connectTime(gateway));
    samples.echo.push(await connectTime(echo));
  });
  return toFigure({
    name: "connect p50",
    subject,
    unit: "ms",
    samples: samples.gateway,
    baseline: { name: "echo, no handshake", samples: samples.echo },
  });
}

async function connectTime(server: Running): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const startedAt = performance.now();
    const client = await server.connect();
    times.push(performance.now() - startedAt);
    await client.close();
  }
  return median(times);
}
