import { randomUUID } from "node:crypto";
import { startEcho, startNode } from "../subjects.ts";
import { compareLoads } from "./load-rounds.ts";
import { profileArgs } from "./suite.ts";
import type { Suite } from "./suite.ts";

/** `node.invoke` through a Gateway and a node, each a process with its ledger, beside the echo. */
export const invokeSuite: Suite = async (context) => {
  const { launcher, isQuick, hasTargets } = context;
  await using echo = await startEcho();
  await using gateway = await launcher.start({ execArgv: profileArgs(context, "invoke") });
  await using node = await startNode(gateway);
  const sockets = { gateway: await gateway.connect(), echo: await echo.connect() };
  const run = randomUUID();
  // Counted over the whole run: a key that came before would be answered from the ledger.
  let keys = 0;
  const request = (id: number): string =>
    `{"type":"req","id":"${id}","method":"node.invoke","params":{"nodeId":"${node.nodeId}","command":"system.which","params":{"bins":["git"]},"timeoutMs":30000,"idempotencyKey":"${run}:${(keys += 1)}"}}`;
  const figures = await compareLoads(
    { server: gateway, client: sockets.gateway, request },
    { server: echo, client: sockets.echo, request },
    {
      name: "invoke",
      subject: launcher.name,
      rounds: isQuick ? 3 : 15,
      latencyCount: Math.ceil(1_000 / launcher.slowness),
      rateCount: Math.ceil(10_000 / launcher.slowness),
      targets: hasTargets
        ? { p50: { of: "ratio", atMost: 2.8 }, rate: { of: "ratio", atLeast: 0.22 } }
        : undefined,
    },
  );
  await Promise.all([sockets.gateway.close(), sockets.echo.close()]);
  await gateway.stop();
  return figures;
};
