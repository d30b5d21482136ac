import { equal, partialDeepStrictEqual as contains } from "node:assert";
import { openProtocol3Door } from "../protocol3/protocol3-door.ts";
import type { Checklist, Half } from "./checklist.ts";
import { need } from "./checklist.ts";
import { takeDeviceSteps } from "./device-steps.ts";
import { startGateway } from "./gateway.ts";
import type { Gateway } from "./gateway.ts";
import type { Lab } from "./lab.ts";
import { takeConfigFileSteps } from "./config-file-steps.ts";
import { takeNodeSteps } from "./node-steps.ts";
import { takeHealthSteps } from "./operator-steps.ts";
import { takeSecureSteps } from "./secure-steps.ts";
import type { TakeStep } from "./operator-steps.ts";
import { eventually } from "./patience.ts";
import type { Program } from "./program.ts";

const OWN = "our CLI";
const PUBLISHED = "published CLI";

/** The published command line and the published node at our Gateway. */
export async function takeOurHalf(checklist: Checklist, lab: Lab): Promise<void> {
  const step = stepsOf(checklist, "ours");
  const gateway = await step("our Gateway comes up", () => startGateway(lab, "own"));
  if (!gateway) return;
  const { port } = gateway;
  const cli = await lab.program("published", { home: "cli", port });
  const ownCli = await lab.program("own", { home: "cli", port });
  const node = await lab.program("published", { home: "node", port });

  await takeHealthSteps(step, cli, PUBLISHED);
  await takeDeviceSteps(step, { cli, who: PUBLISHED, gateway });
  await takeNodeSteps(step, {
    ...{ lab, gateway, node, nodeWho: "published node" },
    ...{ cli, who: PUBLISHED, otherCli: ownCli, otherWho: OWN, publishedCli: cli },
  });
  await takeFallbackSteps(step, { lab, gateway, cli });
  await takeSecureSteps(step, {
    ...{ lab, maker: "own", visitor: "published", gatewayWho: "our Gateway" },
    ...{ who: PUBLISHED, nodeWho: "published node" },
  });
  await takeConfigFileSteps(step, lab);
}

/** Our command line and our node at the published Gateway. */
export async function takeTheirHalf(checklist: Checklist, lab: Lab): Promise<void> {
  const step = stepsOf(checklist, "theirs");
  const gateway = await step("the published Gateway comes up", () =>
    startGateway(lab, "published"),
  );
  if (!gateway) return;
  const { port } = gateway;
  const cli = await lab.program("own", { home: "cli", port });
  const otherCli = await lab.program("published", { home: "cli", port });
  const node = await lab.program("own", { home: "node", port });

  await takeHealthSteps(step, cli, OWN);
  await takeDeviceSteps(step, { cli, who: OWN, gateway });
  await takeNodeSteps(step, {
    ...{ lab, gateway, node, nodeWho: "our node" },
    ...{ cli, who: OWN, otherCli, otherWho: PUBLISHED, publishedCli: otherCli },
  });
  await takeSecureSteps(step, {
    ...{ lab, maker: "published", visitor: "own", gatewayWho: "the published Gateway" },
    ...{ who: OWN, nodeWho: "our node" },
  });
}

/** What the published node does when it meets a Gateway of the older generation. */
async function takeFallbackSteps(
  step: TakeStep,
  { lab, gateway, cli }: { lab: Lab; gateway: Gateway; cli: Program },
): Promise<void> {
  const name = "Fallback";
  await step("published node: falls back to protocol 3 and works", async () => {
    const door = lab.keep(await openProtocol3Door(gateway.port));
    const node = await lab.program("published", { home: "fallback", port: door.port });
    const address = ["--host", "127.0.0.1", "--port", String(door.port)];
    const child = lab.keep(node.start("node", "run", ...address, "--display-name", name));
    const operator = await gateway.operator();
    const requestId = await eventually("its request", async () => {
      const { pending } = (await operator.call("device.pair.list", {})) as {
        pending: { requestId: string; displayName?: string }[];
      };
      return pending.find(({ displayName }) => displayName === name)?.requestId;
    });
    // With all rights, so that what the node declared is approved with it.
    await operator.call("device.pair.approve", { requestId });
    const { nodeId } = await gateway.node(
      name,
      ({ connected, commands = [] }) => connected === true && commands.includes("system.which"),
    );
    contains(need(door.refused[0], "refused offer"), { minProtocol: 4 });
    contains(need(door.passed.at(-1), "accepted offer"), { minProtocol: 3, maxProtocol: 3 });

    const params = ["--params", '{"bins":["sh"]}', "--json"];
    const invoke = ["nodes", "invoke", "--node", nodeId, "--command", "system.which", ...params];
    (await cli.ok(...invoke)).says(/"sh": "[^"]*\/sh"/);
    equal(child.isRunning, true);
    await child.stop(20_000);
  });
}

function stepsOf(checklist: Checklist, half: Half): TakeStep {
  return (name, take) => checklist.step(half, name, take);
}
