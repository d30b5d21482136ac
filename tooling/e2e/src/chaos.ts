import { setTimeout as delay } from "node:timers/promises";
import { createFaultProxy } from "@openclaw/testkit";
import type { CutKind, FaultProxy, TestProcess } from "@openclaw/testkit";
import { createSeededRandom } from "./random.ts";
import type { SeededRandom } from "./random.ts";
import type { Stage } from "./stage.ts";

/** What is done to the system while it works. */
const FAULTS = [
  "kill gateway",
  "kill node",
  "kill operator",
  "cut node link",
  "cut operator link",
  "cut node link in a frame",
  "freeze node",
] as const;

/** One of {@link FAULTS}. */
type Fault = (typeof FAULTS)[number];

/** Options of {@link runChaos}. */
export interface ChaosOptions {
  stage: Stage;
  seed: number;
  /** How long faults are injected. */
  durationMs: number;
  diaryPath: string;
  /** Keys that each operator process may start. */
  keysPerOperator: number;
}

/** What is left standing afterwards; disposing of it takes the links down. */
export interface ChaosOutcome extends AsyncDisposable {
  gateway: { process: TestProcess; url: string };
  node: TestProcess;
  nodeId: string;
  /** How often each fault was injected. */
  faults: Map<Fault, number>;
}

/**
 * Lets operators invoke all the time while processes are killed and links are cut at random moments,
 * then puts everything back in order.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const { stage, seed, durationMs, diaryPath, keysPerOperator } = options;
  const random = createSeededRandom(seed);
  const faults = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]));

  let gateway = await stage.startGateway();
  const target = { host: "127.0.0.1", port: gateway.port };
  const links = {
    node: await createFaultProxy({ target, random: random.next }),
    operator: await createFaultProxy({ target, random: random.next }),
  };
  const first = await stage.startNode(links.node.url);
  const { nodeId } = first;
  let node = first.process;
  let operators = 0;
  let operator = startOperator();
  await operator.line("connected", { deadlineMs: 30_000 });

  function startOperator(): TestProcess {
    operators += 1;
    return stage.start("operator-main.ts", {
      E2E_URL: links.operator.url,
      E2E_NODE_ID: nodeId,
      E2E_DIARY: diaryPath,
      E2E_PREFIX: `op${operators}`,
      E2E_LIMIT: String(keysPerOperator),
      E2E_SEED: String(seed + operators),
    });
  }

  const inject: Record<Fault, () => Promise<void>> = {
    async "kill gateway"() {
      await gateway.process.kill();
      gateway = await stage.startGateway();
      for (const link of Object.values(links)) {
        link.retarget({ host: "127.0.0.1", port: gateway.port });
      }
    },
    async "kill node"() {
      await node.kill();
      node = (await stage.startNode(links.node.url)).process;
    },
    async "kill operator"() {
      await operator.kill();
      operator = startOperator();
      await operator.line("connected", { deadlineMs: 30_000 });
    },
    async "cut node link"() {
      links.node.cutAll(cutKind(random));
    },
    async "cut operator link"() {
      links.operator.cutAll(cutKind(random));
    },
    async "cut node link in a frame"() {
      cutInFrame(links.node, random);
    },
    async "freeze node"() {
      node.freeze();
      await delay(random.between(0, 600));
      node.thaw();
    },
  };

  const endsAt = performance.now() + durationMs;
  while (performance.now() < endsAt) {
    // The moment is the random point: thousands of invokes are under way at any time.
    await delay(random.between(20, 500));
    if (!operator.isRunning) await inject["kill operator"]();
    const fault = random.pick(FAULTS);
    faults.set(fault, (faults.get(fault) ?? 0) + 1);
    await inject[fault]();
  }
  for (const link of Object.values(links)) link.clear();
  // Whatever the last operator still wants to know, it gets to know.
  await operator.stop();
  return {
    gateway,
    node,
    nodeId,
    faults,
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(links).map((link) => link.close()));
    },
  };
}

function cutKind(random: SeededRandom): CutKind {
  return random.pick(["reset", "fin", "silence"] as const);
}

/** Cuts after a random number of further bytes, most likely in the middle of a frame. */
function cutInFrame(proxy: FaultProxy, random: SeededRandom): void {
  const direction = random.pick(["toTarget", "toClient"] as const);
  for (const connection of proxy.connections) {
    const link = connection[direction];
    link.set({
      cutAfterBytes: link.forwardedBytes + random.between(1, 20_000),
      cutWith: cutKind(random),
    });
  }
}
