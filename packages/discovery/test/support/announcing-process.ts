import process from "node:process";
import { announce } from "../../src/index.ts";

/** Announces on the port that it is given, and tells the id of its helper. */
const network = { port: Number(process.argv[2]), interface: "127.0.0.1" };
const facts = { displayName: "Short-lived", hostLabel: "openclaw", port: 18_789 };
announce({
  facts,
  network,
  onState(state) {
    if (state.kind === "announced") process.stdout.write(`${state.pid}\n`);
  },
});
// The announcement itself keeps nobody alive.
setInterval(() => {}, 60_000);
