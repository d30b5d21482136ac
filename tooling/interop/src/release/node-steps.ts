import { equal, match, partialDeepStrictEqual as contains } from "node:assert";
import { readFile } from "node:fs/promises";
import { need } from "./checklist.ts";
import type { Gateway, NodeEntry } from "./gateway.ts";
import type { Lab } from "./lab.ts";
import type { TakeStep } from "./operator-steps.ts";
import { eventually } from "./patience.ts";
import type { Program } from "./program.ts";

/** Who takes part in {@link takeNodeSteps}. */
export interface NodeCast {
  lab: Lab;
  gateway: Gateway;
  /** The command line that comes from elsewhere than the Gateway; it decides and looks. */
  cli: Program;
  who: string;
  /** The other command line, which has to see the same. */
  otherCli: Program;
  otherWho: string;
  /** The node that comes from elsewhere than the Gateway. */
  node: Program;
  nodeWho: string;
  /** Of the two command lines the one that has `approvals`. */
  publishedCli: Program;
}

const NAME = "Workshop";

/** A node from its first request to its removal, with both command lines looking on. */
export async function takeNodeSteps(step: TakeStep, cast: NodeCast): Promise<void> {
  const { lab, gateway, cli, who, otherCli, otherWho, node, nodeWho } = cast;
  const start = () =>
    lab.keep(
      node.start(
        ...["node", "run", "--host", "127.0.0.1", "--port", String(gateway.port)],
        ...["--display-name", NAME],
      ),
    );

  let child = start();
  const requestId = await step(`${nodeWho}: node run asks to be paired`, async () => {
    const operator = await gateway.operator();
    return eventually("its request", async () => {
      const { pending } = (await operator.call("device.pair.list", {})) as {
        pending: { requestId: string; displayName?: string; role?: string }[];
      };
      return pending.find(({ displayName }) => displayName === NAME)?.requestId;
    });
  });

  const entry = await step(`${who}: devices approve lets the node in`, async () => {
    const id = need(requestId, "request");
    await cli.ok("devices", "approve", id, "--json");
    return gateway.node(NAME);
  });
  const nodeId = entry?.nodeId;

  await step(`${who}: nodes pending and nodes approve decide on its commands`, async () => {
    need(nodeId, "node");
    const [request] = await pendingSurfaces(cli);
    const pending = need(request, "pending surface");
    equal(pending.nodeId, nodeId);
    contains((await cli.ok("nodes", "approve", pending.requestId, "--json")).json(), {
      requestId: pending.requestId,
      node: { nodeId },
    });
    equal((await pendingSurfaces(cli)).length, 0);
    await gateway.node(NAME, hasCommands);
  });

  for (const [name, one] of [
    [who, cli],
    [otherWho, otherCli],
  ] as const) {
    await step(`${name}: nodes list, status and describe show it`, async () => {
      const id = need(nodeId, "node");
      // Narrow tables break the name.
      (await one.ok("nodes", "list")).says("Work");
      contains((await one.ok("nodes", "list", "--json")).json(), { paired: [{ nodeId: id }] });
      (await one.ok("nodes", "status")).says("Known: 1", "Connected: 1");
      const shown = { nodeId: id, displayName: NAME, connected: true, paired: true };
      contains((await one.ok("nodes", "status", "--json")).json(), { nodes: [shown] });
      (await one.ok("nodes", "describe", "--node", NAME)).says("system.run", "system.which");
      const described = (await one.ok("nodes", "describe", "--node", NAME, "--json")).json();
      contains(described, shown);
    });
    await step(`${name}: nodes invoke runs system.which on it`, async () => {
      need(nodeId, "node");
      const answer = (await one.ok(...which(NAME))).json();
      contains(answer, { ok: true, nodeId, command: "system.which" });
      match(JSON.stringify(answer["payload"]), /"sh":"[^"]*\/sh"/);
    });
    await step(
      `${name}: gateway call node.invoke runs system.run, once for a repeated key`,
      async () => {
        const id = need(nodeId, "node");
        const file = lab.file(`effects of ${name} at ${gateway.port}`);
        const params = JSON.stringify({
          nodeId: id,
          command: "system.run",
          params: { command: ["sh", "-c", 'echo ran >> "$0" && echo done', file] },
          idempotencyKey: `interop ${name}`,
        });
        const call = ["gateway", "call", "node.invoke", "--params", params, "--json"];
        const first = (await one.ok(...call)).json();
        contains(first, { ok: true, payload: { exitCode: 0, stdout: "done\n", success: true } });
        const again = (await one.ok(...call)).json();
        contains(again, { ok: true, payload: { exitCode: 0, stdout: "done\n" } });
        // Ours keeps a ledger at its end, Gateway or node.
        equal(await readFile(file, "utf8"), "ran\n");
      },
    );
    await step(`${name}: exec.approvals.node.get reads what may run on it`, async () => {
      const id = need(nodeId, "node");
      const params = JSON.stringify({ nodeId: id });
      const call = ["gateway", "call", "exec.approvals.node.get", "--params", params, "--json"];
      contains((await one.ok(...call)).json(), { file: { version: 1 } });
    });
    await step(`${name}: what the node does not serve is refused by name`, async () => {
      need(nodeId, "node");
      const invoke = ["nodes", "invoke", "--node", NAME, "--command", "no.such", "--json"];
      (await one.fails(...invoke)).says("node command not allowed", "no.such");
      const nowhere = ["nodes", "invoke", "--node", "nope", "--command", "system.which"];
      (await one.fails(...nowhere)).says("unknown node: nope");
    });
  }

  await step("published CLI: approvals get --node shows the same", async () => {
    need(nodeId, "node");
    const shown = await cast.publishedCli.ok("approvals", "get", "--node", NAME, "--json");
    contains(shown.json(), { file: { version: 1 } });
  });

  await step(`${who}: nodes rename gives it another name`, async () => {
    const id = need(nodeId, "node");
    const rename = (name: string) => cli.ok("nodes", "rename", "--node", id, "--name", name);
    (await rename("Shop Two")).says("Shop Two");
    await gateway.node("Shop Two");
    await rename(NAME);
  });

  await step(`${nodeWho}: comes back as the same node after its own restart`, async () => {
    const before = need(entry, "node");
    await child.stop(20_000);
    await gateway.node(NAME, ({ connected }) => connected !== true);
    child = start();
    equal((await gateway.node(NAME, hasCommands)).nodeId, before.nodeId);
  });

  await step(`${nodeWho}: comes back after the Gateway's restart`, async () => {
    const before = need(entry, "node");
    await gateway.restart();
    equal((await gateway.node(NAME, hasCommands)).nodeId, before.nodeId);
    (await cli.ok(...which(NAME))).says("/sh");
  });

  await step(`${who}: devices remove ends it, and it asks again`, async () => {
    const id = need(nodeId, "node");
    contains((await cli.ok("devices", "remove", id, "--json")).json(), { deviceId: id });
    contains((await cli.ok("nodes", "status", "--json")).json(), { nodes: [] });
    const operator = await gateway.operator();
    await eventually("its new request", async () => {
      const { pending } = (await operator.call("device.pair.list", {})) as {
        pending: { deviceId: string }[];
      };
      return pending.find(({ deviceId }) => deviceId === id);
    });
  });
  await child.stop(20_000);
}

function hasCommands({ connected, commands = [] }: NodeEntry): boolean {
  return connected === true && commands.includes("system.run");
}

function which(node: string): string[] {
  const params = ["--params", '{"bins":["sh"]}'];
  return ["nodes", "invoke", "--node", node, "--command", "system.which", ...params, "--json"];
}

/** The newest releases print a bare list where others print `{ pending }`. */
async function pendingSurfaces(cli: Program): Promise<{ requestId: string; nodeId: string }[]> {
  const printed = (await cli.ok("nodes", "pending", "--json")).json();
  const list: unknown = Array.isArray(printed) ? printed : printed["pending"];
  return list as { requestId: string; nodeId: string }[];
}
