// A tunnel in a process of its own: prints the local ports as JSON, and ends with SIGTERM.
import { openTunnel } from "@openclaw/tunnel";
import type { TunnelProcessOptions } from "./tunnel-subjects.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as TunnelProcessOptions;
const tunnel = await openTunnel(options.target, {
  identity: options.identity,
  knownHosts: options.knownHosts,
  sshConfig: false,
  engine: options.engine,
  forwards: options.ports.map((remotePort) => ({ remotePort })),
});
process.once("SIGTERM", () => void tunnel.close());
const state = tunnel.state;
console.log(
  JSON.stringify({
    ports: tunnel.forwards.map(({ local }) => ("port" in local ? local.port : 0)),
    engine: state.kind === "open" ? state.engine : undefined,
  }),
);
