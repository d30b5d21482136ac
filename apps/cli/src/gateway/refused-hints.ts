import { isLoopbackHost } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import type { ChosenGateway } from "./choose-gateway.ts";

/** What to do when nobody listens where a Gateway was looked for: that depends on whose port it is. */
export function refusedHints(
  { commandLine }: Pick<CommandContext, "commandLine">,
  { target }: Pick<ChosenGateway, "target">,
): string[] {
  const { protocol, hostname, port } = new URL(target.url);
  if (target.kind === "local" || target.via !== undefined) {
    return [
      `Start a Gateway: ${commandLine("gateway run")}`,
      `Look at this machine's: ${commandLine("gateway status")}`,
    ];
  }
  if (isLoopbackHost(hostname)) {
    const local = port === "" ? "18789" : port;
    return [
      `Where a tunnel leads there, open it first: ssh -N -L ${local}:127.0.0.1:18789 <user>@<host>`,
      `or let this program do that: ${commandLine("remote set <user>@<host>")}`,
      `Where the Gateway is here, start it: ${commandLine("gateway run")}`,
    ];
  }
  return [
    `Look at it on its own machine: ${commandLine("gateway status")}; gateway.bind loopback lets nobody else in.`,
    ...(protocol === "ws:"
      ? ["Behind Tailscale Serve it is wss://<its MagicDNS name>, without a port."]
      : []),
    `SSH always works: ${commandLine("health --url ssh://<user>@<host>")}`,
  ];
}
