import { copyFile, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createRawPeer,
  startProcess,
  temporaryDirectory,
  type TemporaryDirectory,
  type TestProcess,
} from "@openclaw/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { npmInstall } from "../src/user/npm.ts";
import { packAll, packInstalled, tarballs, type Packs } from "../src/user/packs.ts";
import { currentNode, oldestNode, type Runtime } from "../src/user/runtimes.ts";
import { createUser, type User } from "../src/user/user.ts";

// What users get, as they get it: tarballs, installed without a registry, on an empty home directory.

const root = fileURLToPath(new URL("../../..", import.meta.url));
const TOKEN = "a-token-that-nobody-must-see";
const UP_MS = 30_000;
const TEST_MS = 120_000;

let directory: TemporaryDirectory;
let packs: Packs;
let prefix: string;
/** Tarballs of what the libraries depend on. */
let thirdParty: string[];
const processes = new Set<TestProcess>();
let homes = 0;

beforeAll(async () => {
  directory = await temporaryDirectory("openclaw-packed-");
  packs = await packAll(directory.path);
  prefix = directory.file("prefix");
  const home = await newHome();
  await npmInstall(["--global", "--prefix", prefix, ...tarballs(packs, "@openclaw/cli")], {
    home,
    cwd: home,
  });
  thirdParty = [
    await packInstalled("packages/gateway-core/node_modules/ws", directory.path),
    await packInstalled("packages/gateway-core/node_modules/zod", directory.path),
  ];
}, TEST_MS);

afterEach(async () => {
  await Promise.all([...processes].map((child) => child[Symbol.asyncDispose]()));
  processes.clear();
});

afterAll(() => directory?.[Symbol.asyncDispose]());

const oldest = oldestNode();
const runtimes = oldest.ok ? [currentNode, oldest.runtime] : [currentNode];
if (!oldest.ok) process.stderr.write(`packed.test.ts: ${oldest.advice}\n`);

test("the oldest supported Node is there to be tried", ({ skip }) => {
  if (!oldest.ok) skip(oldest.advice);
  expect(runtimes).toHaveLength(2);
});

describe.each(runtimes)("on $name", (runtime) => {
  test("the version is one line", { timeout: TEST_MS }, async () => {
    const user = await newUser(runtime);
    const { code, stdout, stderr } = await user.openclaw(["--version"]);

    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
    expect(await readdir(user.home)).toEqual([]);
  });

  test("a user runs a Gateway and a node, and works with both", { timeout: TEST_MS }, async () => {
    const { user, gateway, node } = await startBoth(runtime);
    const [device] = (await user.openclaw(["devices", "list", "--json"])).json().paired;
    expect(device).toMatchObject({ displayName: "Work Shop", roles: ["node"], connected: true });
    const nodeId: string = device.deviceId;

    const documents: [string[], unknown][] = [
      [["nodes", "list"], { pending: [], paired: [{ nodeId, displayName: "Work Shop" }] }],
      [["nodes", "status"], { nodes: [{ nodeId, paired: true, connected: true }] }],
      [["nodes", "describe", "--node", "work-shop"], { nodeId, approvalState: "approved" }],
      [["nodes", "pending"], { pending: [] }],
      [["health"], { ok: true }],
      [["status", "--deep"], { gateway: { reachable: true }, nodes: { connected: 1 } }],
      [["gateway", "status"], { rpc: { ok: true } }],
      [["gateway", "health"], { ok: true }],
      [["gateway", "probe"], { ok: true, targets: [{ connect: { ok: true, rpcOk: true } }] }],
      [["gateway", "call", "node.list"], { nodes: [{ nodeId }] }],
      [["nodes", "rename", "--node", nodeId, "--name", "Bench"], { nodeId, displayName: "Bench" }],
    ];
    for (const [command, document] of documents) {
      const answer = await user.openclaw([...command, "--json"]);
      expect({ command, ...answer.json() }).toMatchObject(document as object);
      expect(answer.code).toBe(0);
    }

    const invoke = ["nodes", "invoke", "--node", "bench", "--command", "system.which", "--json"];
    const once = [...invoke, "--params", '{"bins":["node"]}', "--idempotency-key", "which-1"];
    const first = (await user.openclaw(once)).json();
    expect(first).toMatchObject({ ok: true, nodeId, payload: { bins: { node: /node$/ } } });
    expect((await user.openclaw(once)).json()).toEqual(first);
    const status = await user.openclaw(["nodes", "invoke", "--status", "which-1", "--json"]);
    expect(status.json()).toMatchObject({ stage: "finished", ok: true, payload: first.payload });

    const run = ["nodes", "run", "--node", "bench"];
    const greeting = await user.openclaw([...run, "--", "node", "-p", "6 * 7"]);
    expect(greeting).toMatchObject({ code: 0, stdout: "42\n", stderr: "" });
    const failing = await user.openclaw([...run, "--json", "--", "node", "-e", "process.exit(3)"]);
    expect(failing.json()).toMatchObject({ success: false, exitCode: 3 });
    expect(failing.code).toBe(1);

    expect((await node.stop()).code).toBe(0);
    expect((await gateway.stop()).code).toBe(0);
  });

  test("a failure is one JSON document with a stable type", { timeout: TEST_MS }, async () => {
    const { user, port, node } = await startBoth(runtime);
    const failures: [string[], unknown][] = [
      [["nodes", "describe", "--node", "nobody"], { type: "cli_error", kind: "not_found" }],
      [["health", "--url", `ws://127.0.0.1:${port}`], { type: "gateway_credentials_required" }],
      [["health", "--token", "wrong"], { type: /^gateway_/ }],
      [["gateway", "call", "no.such"], { type: /./, message: /unknown method|missing scope/ }],
    ];
    for (const [command, error] of failures) {
      const answer = await user.openclaw([...command, "--json"]);
      expect({ command, ...answer.json() }).toMatchObject({ ok: false, error });
      expect(answer.code).toBe(1);
    }
    await node.stop();
    const offline = await user.openclaw([
      "nodes",
      "run",
      "--node",
      "work-shop",
      "--json",
      "--",
      "id",
    ]);
    expect(offline.json()).toMatchObject({ ok: false, error: { message: /not connected/ } });
    expect(offline.code).toBe(1);
  });

  test(
    "a node waits for approval, and needs no token afterwards",
    { timeout: TEST_MS },
    async () => {
      const nodes = { pairing: { autoApproveLocal: false } };
      const auth = { token: "${OPENCLAW_GATEWAY_TOKEN}" };
      const config = { gateway: { mode: "local", auth, nodes } };
      const { user, port } = await startGateway(runtime, config);
      const other = await newUser(runtime);
      const address = ["--host", "127.0.0.1", "--port", String(port), "--display-name", "far"];
      const node = other.start(["node", "run", ...address], { OPENCLAW_GATEWAY_TOKEN: TOKEN });

      const [, shown] = await node.line(/request ([\w-]+)/, { deadlineMs: UP_MS });
      const [request] = (await user.openclaw(["devices", "list", "--json"])).json().pending;
      expect(request).toMatchObject({ requestId: shown, role: "node" });
      expect((await user.openclaw(["devices", "approve", request.requestId])).code).toBe(0);
      await node.line("Connected to", { deadlineMs: UP_MS });
      // One decision is enough: what it declared is approved with it.
      const run = ["nodes", "run", "--node", "far", "--", "node", "-p", "'far away'"];
      expect(await user.openclaw(run)).toMatchObject({ code: 0, stdout: "far away\n" });

      await node.stop();
      const again = other.start(["node", "run"]);
      await again.line("Connected to", { deadlineMs: UP_MS });
      const revoke = [
        "devices",
        "revoke",
        "--device",
        request.deviceId,
        "--role",
        "node",
        "--json",
      ];
      expect((await user.openclaw(revoke)).json()).toMatchObject({ deviceId: request.deviceId });
      expect(await again.exited).toMatchObject({ code: 1 });
      const remove = await user.openclaw(["devices", "remove", request.deviceId, "--json"]);
      expect(remove.json()).toMatchObject({ deviceId: request.deviceId });
    },
  );

  test("secrets are in files of mode 0600, and in no output", { timeout: TEST_MS }, async () => {
    const { user, nodeUser, gateway, node } = await startBoth(runtime);
    await user.openclaw(["gateway", "status", "--deep"]);
    for (const { home } of [user, nodeUser]) {
      const files = await readdir(join(home, ".openclaw"), {
        recursive: true,
        withFileTypes: true,
      });
      for (const file of files.filter((entry) => entry.isFile())) {
        const { mode } = await stat(join(file.parentPath, file.name));
        expect(`${file.name} ${(mode & 0o777).toString(8)}`).toBe(`${file.name} 600`);
      }
    }
    for (const { stdout, stderr } of [gateway, node]) expect(stdout + stderr).not.toContain(TOKEN);
  });

  test("the examples run from the tarballs of the libraries", { timeout: TEST_MS }, async () => {
    const { embed, writeNode } = await (projects ??= newProjects());
    const env = { HOME: embed, OPENCLAW_GATEWAY_TOKEN: TOKEN };
    const program = [...runtime.typescriptFlags, "main.ts"];
    const start = (cwd: string, more: Record<string, string>): TestProcess => {
      const child = startProcess(join(runtime.bin, "node"), program, {
        cwd,
        env: { ...env, ...more },
      });
      processes.add(child);
      return child;
    };

    const gateway = start(embed, { PORT: "0" });
    const [, port] = await gateway.line(/listening on .*port: (\d+)/, { deadlineMs: UP_MS });
    const url = `ws://127.0.0.1:${port}`;
    const node = start(writeNode, { OPENCLAW_GATEWAY_URL: url });
    const [, nodeId] = await node.line(/^node (\w+) is connected/, { deadlineMs: UP_MS });
    await using operator = await createRawPeer(url);
    await operator.handshake({ token: TOKEN });
    expect(await operator.call("app.greet", { nodeId, name: "Ada" })).toMatchObject({
      payload: { greeting: "Hello Ada" },
    });
  });
});

async function newHome(): Promise<string> {
  homes += 1;
  const home = directory.file(`home-${homes}`);
  await mkdir(home);
  return home;
}

async function newUser(runtime: Runtime, env: Record<string, string> = {}): Promise<User> {
  const onProcess = (child: TestProcess): void => void processes.add(child);
  return createUser({ home: await newHome(), prefix, runtime, env, onProcess });
}

/** Starts a Gateway with a config file of its user's, or without one. */
async function startGateway(
  runtime: Runtime,
  config?: object,
): Promise<{ user: User; gateway: TestProcess; port: number }> {
  const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
  const starter = await newUser(runtime, env);
  if (config) {
    await mkdir(join(starter.home, ".openclaw"));
    await writeFile(join(starter.home, ".openclaw", "openclaw.json"), JSON.stringify(config));
  }
  const how = config ? [] : ["--allow-unconfigured"];
  const gateway = starter.start(["gateway", "run", "--port", "0", ...how]);
  const [, port] = await gateway.line(/WebSocket: ws:\/\/127\.0\.0\.1:(\d+)/, {
    deadlineMs: UP_MS,
  });
  const onProcess = (child: TestProcess): void => void processes.add(child);
  const shell = { ...env, OPENCLAW_GATEWAY_PORT: String(port) };
  const user = await createUser({ home: starter.home, prefix, runtime, env: shell, onProcess });
  return { user, gateway, port: Number(port) };
}

async function startBoth(runtime: Runtime): Promise<{
  user: User;
  nodeUser: User;
  gateway: TestProcess;
  node: TestProcess;
  port: number;
}> {
  const started = await startGateway(runtime);
  const nodeUser = await newUser(runtime, { OPENCLAW_GATEWAY_TOKEN: TOKEN });
  const address = ["--host", "127.0.0.1", "--port", String(started.port)];
  const node = nodeUser.start(["node", "run", ...address, "--display-name", "Work Shop"]);
  await node.line("Connected to", { deadlineMs: UP_MS });
  return { ...started, nodeUser, node };
}

interface Projects {
  embed: string;
  writeNode: string;
}

/** A project for each example, made once: what npm installs does not depend on the Node it is for. */
let projects: Promise<Projects> | undefined;

async function newProjects(): Promise<Projects> {
  const [embed, writeNode] = await Promise.all([
    newProject("embed-gateway", ["gateway-core", "protocol", "ledger"]),
    newProject("write-a-node", ["node-core", "client", "protocol", "ledger"]),
  ]);
  return { embed, writeNode };
}

/** An empty project with an example in it, and what the example needs installed. */
async function newProject(example: string, libraries: readonly string[]): Promise<string> {
  const folder = await newHome();
  const manifest = { name: example, private: true, type: "module" };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await copyFile(join(root, "examples", example, `${example}.ts`), join(folder, "main.ts"));
  const ours = tarballs(packs, ...libraries.map((name) => `@openclaw/${name}`));
  await npmInstall([...ours, ...thirdParty], { home: folder, cwd: folder });
  return folder;
}
