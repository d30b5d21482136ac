/* A process that exposes a port, says so, and withdraws at SIGTERM: <program> <record> <mode> <port> */
import process from "node:process";
import { createTailscale } from "../../src/tailscale/create-tailscale.ts";

const [program = "", recordPath = "", mode = "", port = ""] = process.argv.slice(2);
const tailscale = createTailscale({ env: process.env, program });
const exposure = await tailscale.expose({
  mode: mode === "funnel" ? "funnel" : "serve",
  port: Number(port),
  recordPath,
});
process.once("SIGTERM", () => {
  void exposure.withdraw().then(() => process.exit(0));
});
// As a Gateway that stops with resetOnExit off: the route stays.
process.once("SIGINT", () => process.exit(0));
setInterval(() => undefined, 60_000);
// Last: whoever reads it may send a signal at once.
process.stdout.write(`open ${exposure.url} ${exposure.isOwned ? "owned" : "foreign"}\n`);
