import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import {
  createRawPeer,
  fakeTailscale,
  type SshTestRig,
  sshTestRig,
  startProcess,
  temporaryDirectory,
  type TestProcess,
} from "@openclaw/testkit";
import { root } from "../src/pages.ts";
import { type Box, typedHere } from "./behind-ssh.ts";
import { type LanGateway, typedInLan } from "./in-the-lan.ts";
import type { Stand } from "./command-list.ts";

const TOKEN = "T";
const UP_MS = 30_000;

/** A shell that finds `openclaw`, and a Gateway that it talks to. */
export interface Shell extends AsyncDisposable {
  /** What `<requestId>` and its like stand for here. */
  readonly placeholders: Readonly<Record<string, string>>;
  /** Port of the Gateway. */
  readonly port: number;
  /** Starts a command line, in an empty home of its own if it `isSomeoneElse`. */
  start(command: string, options?: { isSomeoneElse?: boolean }): TestProcess;
}

/** Sets up what commands find; disposing of it ends everything. */
export async function setUp(stand: Stand): Promise<Shell> {
  const directory = await temporaryDirectory("openclaw-docs-");
  const processes: TestProcess[] = [];
  const bin = directory.file("bin");
  await mkdir(bin);
  const shim = join(bin, "openclaw");
  const cli = join(root, "apps/cli/bin/openclaw.js");
  await writeFile(shim, `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
  await chmod(shim, 0o755);
  const tailnet = stand === "tailnet" ? await fakeTailscale() : undefined;
  const ofTailnet = tailnet === undefined ? [] : [dirname(tailnet.program)];
  const folders = [bin, ...ofTailnet, dirname(process.execPath), "/usr/local/bin:/usr/bin:/bin"];
  const path = folders.join(":");
  let homes = 0;
  let port = 0;
  let box: (Box & { rig: SshTestRig }) | undefined;
  let lan: LanGateway | undefined;

  async function newHome(): Promise<string> {
    homes += 1;
    const home = directory.file(`home-${homes}`);
    await mkdir(home);
    return home;
  }

  function launch(command: string, home: string): TestProcess {
    const child = startProcess("/bin/sh", ["-c", command], {
      cwd: home,
      env: {
        HOME: home,
        PATH: path,
        OPENCLAW_GATEWAY_TOKEN: TOKEN,
        ...(port === 0 ? {} : { OPENCLAW_GATEWAY_PORT: String(port) }),
      },
    });
    processes.push(child);
    return child;
  }

  const home = await newHome();
  const elsewhere = await newHome();
  const placeholders: Record<string, string> = {};
  const shell: Shell = {
    placeholders,
    get port() {
      return port;
    },
    start: (command, { isSomeoneElse = false } = {}) => {
      const typed = box ? typedHere(command, box) : lan ? typedInLan(command, lan) : command;
      return launch(typed, isSomeoneElse ? elsewhere : home);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.map((child) => child[Symbol.asyncDispose]()));
      await box?.rig.stop();
      await tailnet?.[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };

  async function configure(owner: string, gateway: object): Promise<void> {
    await mkdir(join(owner, ".openclaw"));
    await writeFile(join(owner, ".openclaw/openclaw.json"), JSON.stringify({ gateway }));
  }

  async function startGateway(owner = home): Promise<void> {
    const isTls = stand === "serves tls" || stand === "in the lan";
    const pairing = { autoApproveLocal: isTls || stand === "paired" || stand === "behind ssh" };
    const tls = { enabled: isTls };
    await configure(owner, { mode: "local", auth: { token: TOKEN }, nodes: { pairing }, tls });
    const child = launch("exec openclaw gateway run --port 0", owner);
    const [, found] = await child.line(/wss?:\/\/127\.0\.0\.1:(\d+)/, { deadlineMs: UP_MS });
    port = Number(found);
  }

  async function startNode(): Promise<TestProcess> {
    const address = `--host 127.0.0.1 --port ${port}`;
    return launch(`exec openclaw node run ${address} --display-name laptop`, await newHome());
  }

  async function startExample(name: string, variables: string): Promise<TestProcess> {
    const file = join(root, "examples", name, `${name}.ts`);
    const command = `${variables} exec node --conditions=@openclaw/source '${file}'`;
    return launch(command, await newHome());
  }

  async function startExamples(): Promise<void> {
    const gateway = await startExample("embed-gateway", "PORT=0");
    const [, found] = await gateway.line(/listening on .*port: (\d+)/, { deadlineMs: UP_MS });
    port = Number(found);
    const node = await startExample("write-a-node", `OPENCLAW_GATEWAY_URL=ws://127.0.0.1:${port}`);
    const [, nodeId = ""] = await node.line(/^node (\w+) is/, { deadlineMs: UP_MS });
    placeholders["<nodeId>"] = nodeId;
  }

  async function startBehindSsh(): Promise<void> {
    await startGateway(await newHome());
    const rig = await sshTestRig();
    box = { rig, port, openclaw: shim };
    const remote = { sshTarget: rig.target, sshIdentity: rig.identity, remotePort: port };
    await configure(home, { mode: "remote", remote });
    const [node, tunnel] = [
      "exec openclaw node run --ssh me@box --display-name workshop-pi",
      "exec openclaw tunnel open me@box --name box",
    ].map((command) => shell.start(command));
    await node?.line("Connected to", { deadlineMs: UP_MS });
    await tunnel?.line("open: ", { deadlineMs: UP_MS });
  }

  /** Loopback stands for the network: who listens, and how it is known, is the same. */
  async function startInLan(): Promise<void> {
    const owner = await newHome();
    await startGateway(owner);
    const certificate = launch("exec openclaw gateway certificate --json", owner);
    await certificate.exited;
    const { publicKey } = JSON.parse(certificate.stdout) as { publicKey: string };
    lan = { port, pin: publicKey, token: TOKEN };
  }

  async function startPairing(): Promise<void> {
    await startGateway();
    const node = await startNode();
    if (stand === "paired") {
      await node.line("Connected to", { deadlineMs: UP_MS });
      return;
    }
    const [, requestId = ""] = await node.line(/request ([\w-]+)/, { deadlineMs: UP_MS });
    placeholders["<requestId>"] = requestId;
    if (stand === "device asks") return;

    // Who may only pair devices lets the node in, and leaves open what it may be asked.
    const scope = stand === "surface asks" ? "operator.pairing" : "operator.admin";
    await using operator = await createRawPeer(`ws://127.0.0.1:${port}/`);
    await operator.handshake({ token: TOKEN, identity: false, scopes: [scope] });
    const { device } = await operator.call("device.pair.approve", { requestId });
    await node.line("Connected to", { deadlineMs: UP_MS });
    placeholders["<deviceId>"] = (device as { deviceId: string }).deviceId;
    if (stand === "device paired") return;
    const { pending } = await operator.call("node.pair.list", {});
    const [surface] = pending as { requestId: string }[];
    placeholders["<requestId>"] = surface?.requestId ?? "none is pending";
  }

  try {
    if (stand === "tailnet") return shell;
    if (stand === "examples") await startExamples();
    else if (stand === "behind ssh") await startBehindSsh();
    else if (stand === "serves tls") await startGateway();
    else if (stand === "in the lan") await startInLan();
    else await startPairing();
    return shell;
  } catch (error) {
    await shell[Symbol.asyncDispose]();
    throw error;
  }
}
