import { createRawPeer, createTestIdentity, freePort } from "@openclaw/testkit";
import type { RawPeer, TestIdentity, TestProcess } from "@openclaw/testkit";
import { PublishedFault } from "./checklist.ts";
import type { Lab, Maker } from "./lab.ts";
import { eventually } from "./patience.ts";
import type { Program } from "./program.ts";

/** Nothing is paired by itself, so that every decision is an operator's and shows. */
const GATEWAY_CONFIG = { nodes: { pairing: { autoApproveLocal: false } } };

/** The published one would also try to reach a node by SSH. */
const PUBLISHED_GATEWAY_CONFIG = {
  nodes: { pairing: { autoApproveLocal: false, sshVerify: false } },
};

const READY: Readonly<Record<Maker, RegExp>> = {
  own: /gateway listening/,
  published: /\[gateway\] ready/,
};

/** Published ones take 15 s on two idle cores. */
const START_DEADLINE_MS = 120_000;

/** A Gateway of either maker, as a process of its own. */
export interface Gateway {
  readonly port: number;
  /** Ends the process and starts it anew, with the same port and state. */
  restart(): Promise<void>;
  /** A new operator on this machine with all rights and without a device. */
  operator(): Promise<RawPeer>;
  /** A device that asks to be paired and was told to wait. */
  waitingDevice(displayName: string): Promise<{ requestId: string; identity: TestIdentity }>;
  /** A connection of a paired device. */
  device(identity: TestIdentity, displayName: string): Promise<RawPeer>;
  /** The entry of a node once it is as wanted. */
  node(displayName: string, accept?: (entry: NodeEntry) => boolean): Promise<NodeEntry>;
}

/** What is looked at of an entry of `node.list`. */
export interface NodeEntry {
  nodeId: string;
  displayName?: string;
  connected?: boolean;
  commands?: string[];
  connectedAtMs?: number;
}

/** Starts the Gateway of a home, and waits until it listens; the lab ends it. */
export async function startGatewayProgram(
  lab: Lab,
  maker: Maker,
  program: Program,
): Promise<TestProcess> {
  const child = lab.keep(program.start("gateway", "run"));
  try {
    await child.line(READY[maker], { deadlineMs: START_DEADLINE_MS });
  } catch (error) {
    const output = `${child.stdout}\n${child.stderr}`;
    if (maker === "published") throw new PublishedFault("its Gateway did not come up", output);
    throw Object.assign(new Error("our Gateway did not come up", { cause: error }), { output });
  }
  return child;
}

/** Starts a Gateway; the lab ends it. */
export async function startGateway(lab: Lab, maker: Maker): Promise<Gateway> {
  const port = await freePort();
  const gateway = maker === "own" ? GATEWAY_CONFIG : PUBLISHED_GATEWAY_CONFIG;
  const program = await lab.program(maker, { home: "gateway", port, gateway });
  const url = `ws://127.0.0.1:${port}`;
  const start = (): Promise<TestProcess> => startGatewayProgram(lab, maker, program);
  let running = await start();

  async function operator(): Promise<RawPeer> {
    const peer = lab.keep(await createRawPeer(url));
    await peer.handshake({ token: lab.token, identity: false });
    return peer;
  }

  function deviceParams(identity: TestIdentity, displayName: string) {
    return { token: lab.token, identity, displayName, scopes: ["operator.read"] };
  }

  return {
    port,
    async restart() {
      await running.stop(30_000);
      running = await start();
    },
    operator,
    async waitingDevice(displayName) {
      const identity = createTestIdentity();
      const peer = lab.keep(await createRawPeer(url));
      const refused = await peer.connect(deviceParams(identity, displayName));
      const requestId = refused.error?.details?.["requestId"];
      if (typeof requestId === "string") return { requestId, identity };
      throw new Error(`the device was not asked to wait: ${JSON.stringify(refused)}`);
    },
    async device(identity, displayName) {
      const peer = lab.keep(await createRawPeer(url));
      await peer.handshake(deviceParams(identity, displayName));
      return peer;
    },
    async node(displayName, accept = ({ connected }) => connected === true) {
      const watcher = await operator();
      try {
        return await eventually(`the node ${displayName}`, async () => {
          const { nodes } = (await watcher.call("node.list", {})) as { nodes: NodeEntry[] };
          return nodes.find((entry) => entry.displayName === displayName && accept(entry));
        });
      } finally {
        await watcher.close();
      }
    },
  };
}
