/** A node in its own process, with a ledger on disk and one command that does nothing. */
import { createEphemeralIdentity } from "@openclaw/client";
import { createFileLedger } from "@openclaw/ledger";
import { createNode, defineCommand } from "@openclaw/node-core";
import { z } from "zod";

const url = process.env["BENCH_URL"];
const token = process.env["OPENCLAW_GATEWAY_TOKEN"];
const directory = process.env["BENCH_STATE_DIR"];
if (!url || !token || !directory)
  throw new Error("BENCH_URL, BENCH_STATE_DIR and a token are needed");

const node = createNode({
  url,
  token,
  identity: createEphemeralIdentity(),
  displayName: "bench",
  caps: ["system"],
  commands: [
    defineCommand({
      // A name every Gateway lets through once its surface is approved.
      name: "system.which",
      params: z.object({ bins: z.array(z.string()) }),
      run: () => ({ bins: {} }),
    }),
  ],
  ledger: createFileLedger({ directory }),
});
process.once("SIGTERM", () => void node.close().then(() => process.exit(0)));
await node.start();
console.log(`node ${node.nodeId} connected`);
