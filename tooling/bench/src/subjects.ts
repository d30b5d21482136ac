import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, startProcess, temporaryDirectory } from "@openclaw/testkit";
import type { ConnectOptions, TestProcess } from "@openclaw/testkit";
import { sourceArgs } from "./workspace.ts";
import { connectWire } from "./wire-client.ts";
import type { WireClient } from "./wire-client.ts";

/** A process under test, or the baseline. */
export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Opens a socket and does the handshake that this server wants. */
  connect(): Promise<WireClient>;
}

/** A Gateway that answers. */
export interface RunningGateway extends Running {
  readonly token: string;
  /** Its home directory. */
  readonly home: string;
  /** From spawn to the first successful `health`, a fresh connection included. */
  readonly startupMs: number;
  /** Asks it to end, so that profiles are written. */
  stop(): Promise<void>;
}

/** How to start a Gateway. */
export interface GatewayLauncher {
  /** `gateway` for ours, `openclaw@…` for a published one. */
  readonly name: string;
  /** The command line of that Gateway; none when it is run from source. */
  readonly cli: readonly string[] | undefined;
  /** Divides the number of requests, for one that would take minutes. */
  readonly slowness: number;
  start(options?: { execArgv?: readonly string[] }): Promise<RunningGateway>;
}

/** What {@link startGateway} has to know of a Gateway. */
export interface GatewayCommand {
  /** Arguments for Node. */
  args: readonly string[];
  env?: Record<string, string>;
  /** Prepares the home directory, e.g. by writing a config file. */
  prepare?: (home: string) => Promise<void>;
  /** Removes what the Gateway leaves outside of its home directory. */
  forget?: () => Promise<void>;
}

/** Time a Gateway has to answer; published ones take 15 s on two idle cores. */
const STARTUP_DEADLINE_MS = 90_000;
/** A local command line without a device: what every Gateway lets in with a token and full rights. */
export const OPERATOR: ConnectOptions = { identity: false, clientId: "cli", clientMode: "cli" };

/** Starts the baseline server. */
export async function startEcho(): Promise<Running> {
  const child = startProcess(process.execPath, sourceArgs("./echo-main.ts"));
  const url = (await child.line(/ws:\S+/))[0];
  return {
    url,
    pid: child.pid,
    connect: () => connectWire(url, { connect: false }),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Starts a Gateway in a home of its own and waits until it has answered `health` once. */
export async function startGateway({
  args,
  env,
  prepare,
  forget,
}: GatewayCommand): Promise<RunningGateway> {
  const home = await temporaryDirectory("openclaw-bench-");
  await prepare?.(home.path);
  const token = randomBytes(16).toString("hex");
  const port = await freePort();
  const url = `ws://127.0.0.1:${port}/`;
  const startedAt = performance.now();
  const child = startProcess(process.execPath, args, {
    cwd: home.path,
    env: {
      HOME: home.path,
      // A published Gateway keeps its compile cache there.
      TMPDIR: home.path,
      BENCH_STATE_DIR: home.file("state"),
      OPENCLAW_GATEWAY_TOKEN: token,
      OPENCLAW_GATEWAY_PORT: String(port),
      ...env,
    },
  });
  const connect = (): Promise<WireClient> => connectWire(url, { connect: { ...OPERATOR, token } });
  const dispose = async (): Promise<void> => {
    await child[Symbol.asyncDispose]();
    await forget?.();
    await home[Symbol.asyncDispose]();
  };
  try {
    await firstHealth(connect, child);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    url,
    token,
    home: home.path,
    pid: child.pid,
    startupMs: performance.now() - startedAt,
    connect,
    async stop() {
      await child.stop(20_000);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** Writes the config file of a home directory. */
export async function writeConfig(home: string, config: object): Promise<void> {
  const folder = join(home, ".openclaw");
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, "openclaw.json"), JSON.stringify(config), { mode: 0o600 });
}

/** Starts a node with a ledger on disk and waits until its command may be invoked. */
export async function startNode(
  gateway: RunningGateway,
): Promise<{ nodeId: string } & AsyncDisposable> {
  const home = await temporaryDirectory("openclaw-bench-node-");
  const child = startProcess(process.execPath, sourceArgs("./node-main.ts"), {
    env: {
      HOME: home.path,
      BENCH_STATE_DIR: home.file("state"),
      BENCH_URL: gateway.url,
      OPENCLAW_GATEWAY_TOKEN: gateway.token,
    },
  });
  const [, nodeId = ""] = await child.line(/node (\w+) connected/, { deadlineMs: 30_000 });
  await approveSurface(gateway, nodeId);
  return {
    nodeId,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** Approves what the node declared, where the Gateway has not done so by itself. */
async function approveSurface(gateway: RunningGateway, nodeId: string): Promise<void> {
  const operator = await gateway.connect();
  try {
    const list = (await operator.call("node.pair.list", {})) as {
      pending: { requestId: string; nodeId: string }[];
    };
    const request = list.pending.find((pending) => pending.nodeId === nodeId);
    if (request) await operator.call("node.pair.approve", { requestId: request.requestId });
  } finally {
    await operator.close();
  }
}

async function firstHealth(connect: () => Promise<WireClient>, child: TestProcess): Promise<void> {
  const giveUpAt = performance.now() + STARTUP_DEADLINE_MS;
  for (;;) {
    try {
      const client = await connect();
      await client.call("health", {});
      await client.close();
      return;
    } catch (error) {
      if (!child.isRunning || performance.now() > giveUpAt) {
        const output = child.lines.slice(-20).map(({ text }) => text);
        throw new Error(`the Gateway did not come up:\n${output.join("\n")}`, { cause: error });
      }
      await delay(2);
    }
  }
}
