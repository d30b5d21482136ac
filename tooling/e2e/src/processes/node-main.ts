/** A node with its ledger on disk and a command whose every run leaves a line in a file. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { loadOrCreateDeviceIdentity } from "@openclaw/client";
import { createFileLedger } from "@openclaw/ledger";
import { createNode, defineCommand } from "@openclaw/node-core";
import { z } from "zod";
import { numberOr, required, stderrLogger } from "./environment.ts";

const directory = required("E2E_DIRECTORY");
const effects = required("E2E_EFFECTS");

const count = defineCommand({
  name: "e2e.count",
  params: z.object({ key: z.string(), beforeMs: z.number(), afterMs: z.number() }),
  async run({ key, beforeMs, afterMs }) {
    if (beforeMs > 0) await delay(beforeMs);
    // One write with O_APPEND: all of it or nothing, also when this process is killed meanwhile.
    appendFileSync(effects, `${key}\n`);
    if (afterMs > 0) await delay(afterMs);
    return { counted: key };
  },
});

const echo = defineCommand({
  name: "e2e.echo",
  params: z.object({ text: z.string() }),
  run: ({ text }) => ({ text }),
});

const node = createNode({
  url: required("E2E_URL"),
  token: required("E2E_TOKEN"),
  identity: await loadOrCreateDeviceIdentity(join(directory, "identity.json")),
  displayName: "e2e node",
  caps: ["system"],
  commands: [count, echo],
  ledger: createFileLedger({ directory: join(directory, "ledger"), maxEntries: 1_000_000 }),
  client: {
    keepalive: { intervalMs: numberOr("E2E_KEEPALIVE_MS", 5_000) },
    backoff: { baseMs: 50, maxMs: 200 },
  },
  logger: stderrLogger,
  onState: (state) => console.log(`state ${state.kind}`),
});
process.once("SIGTERM", () => void node.close().then(() => process.exit(0)));
await node.start();
console.log(`node ${node.nodeId}`);
