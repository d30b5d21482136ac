import { text } from "node:stream/consumers";
import { createSystemEngine } from "../../src/engines/system/open-system-connection.ts";
import { engineOptionsFor } from "./support.ts";

// A process that opens a connection and stays: a test kills it. What it needs comes on stdin.

const { rig, state } = JSON.parse(await text(process.stdin)) as {
  rig: Parameters<typeof engineOptionsFor>[0];
  state: string;
};
const open = createSystemEngine({
  sshConfig: false,
  identity: rig.identity,
  knownHosts: rig.knownHosts,
});
const options = engineOptionsFor(rig, { stateDirectory: state, connectTimeoutMs: 60_000 });
const connection = await open(options, new AbortController().signal);
process.stdout.write(`open ${connection.info.pid}\n`);
setInterval(() => {}, 60_000);
