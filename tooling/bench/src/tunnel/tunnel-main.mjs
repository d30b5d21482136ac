// A tunnel in a process of its own: prints the local ports as JSON, and ends with SIGTERM. JavaScript,
// so that nothing is in its memory that a user would not have there.
import { openTunnel } from "@openclaw/tunnel";

/** @type {import("./tunnel-subjects.ts").TunnelProcessOptions} */
const options = JSON.parse(process.argv[2] ?? "{}");
const tunnel = await openTunnel(options.target, {
  identity: options.identity,
  knownHosts: options.knownHosts,
  sshConfig: false,
  engine: options.engine,
  forwards: options.ports.map((remotePort) => ({ remotePort })),
});
process.once("SIGTERM", () => void tunnel.close());
const { state } = tunnel;
console.log(
  JSON.stringify({
    ports: tunnel.forwards.map(({ local }) => ("port" in local ? local.port : 0)),
    engine: state.kind === "open" ? state.engine : undefined,
  }),
);
