import {
  createFaultProxy,
  createTestIdentity,
  createFakeNode,
  type FakeNode,
  type FakeNodeOptions,
} from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { createCli, startGateway, TOKEN } from "./cli-fixture.ts";

const NODE_COMMANDS = ["system.run", "system.which"];

/** A node on this machine: it pairs by itself. */
function connectNode(url: string, options: FakeNodeOptions = {}): Promise<FakeNode> {
  return createFakeNode(url, {
    token: TOKEN,
    commands: NODE_COMMANDS,
    displayName: "Workshop Pi",
    ...options,
  });
}

test("nodes list shows a paired node by name, and --json the same entries", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using node = await connectNode(gateway.url);
  const human = await cli.run(["nodes", "list", ...gateway.flags]);
  expect(human.stdout).toContain("Pending: 0 · Paired: 1");
  expect(human.stdout).toMatch(/Node\s+ID\s+IP\s+Last Connect/);
  expect(human.stdout).toMatch(/Workshop Pi\s+[0-9a-f]{12}\s+\S+\s+connected now/);
  const json = (await cli.run(["nodes", "list", "--json", ...gateway.flags])).json();
  expect(json).toMatchObject({ pending: [], paired: [{ nodeId: node.nodeId, connected: true }] });
});

test("nodes status counts and describes; nodes describe finds a node by folded name", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using node = await connectNode(gateway.url);
  const status = await cli.run(["nodes", "status", ...gateway.flags]);
  expect(status.stdout).toContain("Known: 1 · Paired: 1 · Connected: 1");
  const described = await cli.run(["nodes", "describe", "--node", "workshop-pi", ...gateway.flags]);
  expect(described.stdout).toContain(node.nodeId);
  expect(described.stdout).toMatch(/Commands\n {2}system\.run\n {2}system\.which/);
});

test("nodes invoke prints what the node answered, and sends a key of its own", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using node = await connectNode(gateway.url, {
    answer: () => ({ ok: true, payloadJSON: '{"bins":{"git":"/usr/bin/git"}}' }),
  });
  const args = ["nodes", "invoke", "--node", node.nodeId.slice(0, 6), "--command", "system.which"];
  const result = await cli.run([...args, "--params", '{"bins":["git"]}', ...gateway.flags]);
  expect(result.code).toBe(0);
  expect(result.json()).toMatchObject({ ok: true, payload: { bins: { git: "/usr/bin/git" } } });
  expect(node.invokes).toMatchObject([{ command: "system.which", params: { bins: ["git"] } }]);
  expect(node.invokes[0]?.idempotencyKey).toMatch(/^[0-9a-f-]{36}$/);
});

test("nodes invoke with the same key runs once, and --status tells what became of it", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using node = await connectNode(gateway.url, {
    answer: () => ({ ok: true, payload: { n: 1 } }),
  });
  const args = [
    "nodes",
    "invoke",
    "--node",
    "workshop-pi",
    "--command",
    "system.which",
    "--params",
    '{"bins":[]}',
  ];
  const first = await cli.run([...args, "--idempotency-key", "nightly-1", ...gateway.flags]);
  const again = await cli.run([...args, "--idempotency-key", "nightly-1", ...gateway.flags]);
  expect(again.json()).toEqual(first.json());
  expect(node.invokes).toHaveLength(1);
  const status = await cli.run([
    "nodes",
    "invoke",
    "--status",
    "nightly-1",
    "--json",
    ...gateway.flags,
  ]);
  expect(status.json()).toMatchObject({ stage: "finished", recorded: true, ok: true });
  const human = await cli.run(["nodes", "invoke", "--status", "never-heard-of", ...gateway.flags]);
  expect(human.code).toBe(0);
  expect(human.stdout).toMatch(/Stage\s+not-sent/);
});

test("an error of the node keeps its code, and names the key", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using _node = await connectNode(gateway.url, {
    answer: () => ({ ok: false, error: { code: "SYSTEM_RUN_DENIED", message: "allowlist miss" } }),
  });
  const args = ["nodes", "run", "--node", "workshop-pi", "--json", ...gateway.flags, "--", "true"];
  const result = await cli.run(args);
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({
    ok: false,
    error: { type: "node_error", code: "SYSTEM_RUN_DENIED", method: "node.invoke" },
  });
  expect((result.json()["error"] as { idempotencyKey: string }).idempotencyKey).toMatch(
    /^[0-9a-f-]{36}$/,
  );
});

test("nodes run passes output through as it comes, once, and its end as exit code", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const answer = Promise.withResolvers<{ ok: true; payload: object }>();
  await using node = await connectNode(gateway.url, { answer: () => answer.promise });
  const args = [
    "nodes",
    "run",
    "--node",
    "workshop-pi",
    ...gateway.flags,
    "--",
    "make",
    "-j2",
    "--json",
  ];
  const running = cli.run(args);
  await vi.waitFor(() => expect(node.invokes).toHaveLength(1));
  expect(node.invokes[0]?.params).toMatchObject({ command: ["make", "-j2", "--json"] });
  const chunk = (stream: string, text: string, seq: number) =>
    node.peer.request("node.invoke.progress", {
      invokeId: node.invokes[0]?.id,
      nodeId: node.nodeId,
      seq,
      chunk: JSON.stringify({ stream, text }),
    });
  await chunk("stdout", "one\n", 0);
  await chunk("stderr", "careful\n", 1);
  await vi.waitFor(() => expect(cli.live.stdout).toBe("one\n"));
  answer.resolve({
    ok: true,
    payload: {
      exitCode: 3,
      success: false,
      timedOut: false,
      stdout: "one\ntwo\n",
      stderr: "careful\n",
      error: null,
    },
  });
  const result = await running;
  expect(result.stdout).toBe("one\ntwo\n");
  expect(result.stderr).toBe("careful\nrun exit 3\n");
  expect(result.code).toBe(1);
});

test("Ctrl-C stops what nodes run has started on the node", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const answer = Promise.withResolvers<undefined>();
  await using node = await connectNode(gateway.url, { answer: () => answer.promise });
  const running = cli.run([
    "nodes",
    "run",
    "--node",
    "workshop-pi",
    ...gateway.flags,
    "--",
    "sleep",
    "60",
  ]);
  await vi.waitFor(() => expect(node.invokes).toHaveLength(1));
  cli.signal();
  await vi.waitFor(() => expect(node.cancelled).toEqual([node.invokes[0]?.id]));
  const { id = "" } = node.invokes[0] ?? {};
  await node.result(id, {
    ok: false,
    error: { code: "ABORTED", message: "cancelled by the caller" },
  });
  const result = await running;
  answer.resolve(undefined);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("Stopping it on the node.");
});

test("a node that is not known is named among those that are, with the prefix of the command", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using node = await connectNode(gateway.url);
  const result = await cli.run(["nodes", "describe", "--node", "nobody", ...gateway.flags]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain(
    `nodes describe failed: unknown node: nobody (known: Workshop Pi (${node.nodeId.slice(0, 12)}))`,
  );
});

test("an invoke to a node that has left fails with NOT_CONNECTED and says where to look", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const node = await connectNode(gateway.url);
  await node[Symbol.asyncDispose]();
  await vi.waitFor(async () => {
    const { stdout } = await cli.run(["nodes", "status", ...gateway.flags]);
    expect(stdout).toContain("Connected: 0");
  });
  const result = await cli.run([
    "nodes",
    "invoke",
    "--node",
    node.nodeId,
    "--command",
    "system.which",
    ...gateway.flags,
  ]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("node not connected");
  expect(result.stderr).toContain("openclaw nodes status");
});

test("escape sequences in a node's name do not reach the terminal", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using _node = await connectNode(gateway.url, {
    displayName: "evil\u001b[2J\u001b]0;owned\u0007\nnode",
  });
  const { stdout } = await cli.run(["nodes", "list", ...gateway.flags]);
  expect(stdout).toContain("evil");
  // oxlint-disable-next-line no-control-regex -- what must not be there
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});

test("nodes rename and nodes remove say what they did", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using node = await connectNode(gateway.url);
  const renamed = await cli.run([
    "nodes",
    "rename",
    "--node",
    "workshop-pi",
    "--name",
    "Bench",
    ...gateway.flags,
  ]);
  expect(renamed.stdout).toBe(`node rename ok: ${node.nodeId} -> Bench\n`);
  const removed = await cli.run(["nodes", "remove", "--node", "bench", "--json", ...gateway.flags]);
  expect(removed.json()).toEqual({ nodeId: node.nodeId });
});

test("nodes approve takes the id of a device that asks to be a node, by its first characters", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway({ nodes: { pairing: { autoApproveLocal: false } } });
  const identity = createTestIdentity();
  await expect(connectNode(gateway.url, { identity })).rejects.toThrow(/pairing required/);
  const pending = await cli.run(["nodes", "pending", "--json", ...gateway.flags]);
  const { pending: requests } = pending.json() as {
    pending: { requestId: string; nodeId: string }[];
  };
  expect(requests).toMatchObject([{ nodeId: identity.deviceId }]);
  const id = requests[0]?.requestId ?? "";
  const approved = await cli.run(["nodes", "approve", id.slice(0, 8), ...gateway.flags]);
  expect(approved.stderr).toBe("");
  expect(approved.stdout).toContain(`Approved Workshop Pi (${identity.deviceId.slice(0, 12)})`);
  expect(approved.stdout).toContain(
    `Undo: openclaw nodes remove --node ${identity.deviceId.slice(0, 12)}`,
  );
  // One decision is enough: the commands came with the device.
  await using node = await connectNode(gateway.url, { identity });
  const invoked = await cli.run([
    "nodes",
    "invoke",
    "--node",
    node.nodeId,
    "--command",
    "system.which",
    "--params",
    '{"bins":[]}',
    ...gateway.flags,
  ]);
  expect(invoked.code).toBe(0);
});

test("a connection that is lost under way is made again, and the command runs once", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using proxy = await createFaultProxy({ target: { host: "127.0.0.1", port: gateway.port } });
  const answer = Promise.withResolvers<{ ok: true; payload: object }>();
  await using node = await connectNode(gateway.url, { answer: () => answer.promise });
  const flags = ["--url", proxy.url, "--token", TOKEN];
  const running = cli.run(["nodes", "run", "--node", "workshop-pi", ...flags, "--", "make"]);
  await vi.waitFor(() => expect(node.invokes).toHaveLength(1));
  proxy.cutAll();
  await vi.waitFor(() => expect(proxy.accepted).toBe(2), { timeout: 5_000 });
  answer.resolve({
    ok: true,
    payload: { exitCode: 0, success: true, stdout: "done\n", stderr: "" },
  });
  expect(await running).toMatchObject({
    code: 0,
    stdout: "done\n",
    stderr: "Connection lost. Asking again under the same key.\n",
  });
  expect(node.invokes).toHaveLength(1);
});

test("an invocation that outlives its time names the key and how to ask for it", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  await using _node = await connectNode(gateway.url, { answer: () => undefined });
  const args = [
    "nodes",
    "invoke",
    "--node",
    "workshop-pi",
    "--command",
    "system.which",
    "--params",
    '{"bins":[]}',
  ];
  const result = await cli.run([
    ...args,
    "--invoke-timeout",
    "100",
    "--idempotency-key",
    "slow-1",
    ...gateway.flags,
  ]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("openclaw nodes invoke --status slow-1");
});
