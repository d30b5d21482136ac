import type { Way } from "@openclaw/app-kit";
import type { GatewayClient } from "@openclaw/client";
import { DEFAULT_PORT } from "@openclaw/config";
import { scopesForMethod } from "../../gateway/scopes-for-method.ts";
import { type Carrier, networkCarrier, sshCarrier } from "./carrier.ts";
import type { ConnectTarget } from "./choose-target.ts";
import { shakeHands } from "./handshake-link.ts";
import { checkCommand, findNode } from "./node-link.ts";
import { reachRoute, resolveHost } from "./route-link.ts";
import type { Trail } from "./trail.ts";
import { awaitChallenge, openWebSocket } from "./upgrade-link.ts";

/** For what is noted beside the walk, once that is over. */
const NOTES_SHARE_MS = 500;

/**
 * Walks from the name to the command, one link after the other, up to the first that is broken.
 *
 * @throws {StepFailure} of that link; what is open is closed
 */
export async function walkConnect(trail: Trail, target: ConnectTarget): Promise<void> {
  const { walk } = trail;
  const { via } = target.gateway.target;
  if (via === undefined) {
    const carrier = await walkRoute(trail);
    const why = "not needed";
    walk.skip("ssh", why);
    walk.skip("forward", why);
    return walkGateway(trail, target, { carrier, way: undefined });
  }
  const { noteFarProgram, openForward, openSshLink } = await import("./ssh-link.ts");
  const way = await openSshLink(trail);
  const isNoted = noteFarProgram(trail, way).catch(() => {});
  try {
    const { host } = hostOf(target.gateway.target.url);
    const carrier = sshCarrier(way, host, via.remotePort);
    await walk.take(["forward"], () => openForward(trail, way, carrier));
    await walkGateway(trail, target, { carrier, way });
  } finally {
    // A program that takes longer to start is there, and that is all there was to find out.
    await Promise.race([isNoted, pause(trail.budget.explain(NOTES_SHARE_MS))]);
    await way.close();
  }
}

async function walkRoute(trail: Trail): Promise<Carrier> {
  const { walk, gateway } = trail;
  const { host, port } = hostOf(gateway.target.url);
  const carrier = networkCarrier(host, port);
  const addresses = await walk.take(["name"], () => resolveHost(trail, host));
  await walk.take(["route"], () => reachRoute(trail, carrier, addresses));
  return carrier;
}

async function walkGateway(
  trail: Trail,
  { gateway, isWithoutCredential }: ConnectTarget,
  { carrier, way }: { carrier: Carrier; way: Way | undefined },
): Promise<void> {
  const { walk, context } = trail;
  if (gateway.target.url.startsWith("wss:")) {
    const { checkTls } = await import("./tls-link.ts");
    await walk.take(["tls"], () => checkTls(trail, carrier));
  } else {
    walk.skip("tls", "not used by ws://");
  }
  const switched = await walk.take(["upgrade"], () => openWebSocket(trail, carrier));
  await walk.take(["challenge"], () => awaitChallenge(trail, switched));
  const scopes = scopesFor(context.text("command"));
  const client = await walk.take(["authentication", "pairing", "scope"], () =>
    shakeHands(trail, { isWithoutCredential, scopes, way }),
  );
  try {
    await walkNode(trail, client);
  } finally {
    await client.close();
  }
}

async function walkNode(trail: Trail, client: GatewayClient): Promise<void> {
  const { walk, context } = trail;
  const query = context.text("node");
  const command = context.text("command");
  if (query === undefined) {
    walk.skip("node", "none named; --node <id>");
    walk.skip("command", "none named; --command <name>");
    return;
  }
  const node = await walk.take(["node"], () => findNode(trail, client, query));
  if (command === undefined) walk.skip("command", "none named; --command <name>");
  else await walk.take(["command"], () => checkCommand(trail, client, { node, command }));
}

/** What a command that does the same would ask for. */
function scopesFor(command: string | undefined): readonly string[] {
  if (command === undefined) return ["operator.read"];
  return ["operator.read", ...scopesForMethod("node.invoke", { command })];
}

function hostOf(url: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === "wss:" ? 443 : protocol === "ws:" ? 80 : DEFAULT_PORT;
  return { host: hostname.replace(/^\[|\]$/gu, ""), port: Number(port || usual) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
