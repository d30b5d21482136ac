import { CLOSE, CLOSE_REASON } from "@openclaw/protocol";
import type { Throttle } from "./auth/throttle/throttle.ts";
import { resolveThrottleOptions } from "./auth/throttle/throttle-options.ts";
import type { ConnectionTable } from "./connections/connection-table.ts";
import type { Connection } from "./connections/connection.ts";
import { GatewayStartError } from "./errors.ts";
import {
  type GatewayOptions,
  type ResolvedGatewayOptions,
  resolveAuth,
} from "./gateway-options.ts";
import { resolveEdge } from "./listener/edge-rules.ts";
import type { CommandPolicy } from "./nodes/command-policy.ts";
import type { PairingService } from "./pairing/pairing-service.ts";

/** The options that a running Gateway can take on. What is absent stays as it is. */
export interface GatewayChanges extends Partial<
  Pick<
    GatewayOptions,
    "auth" | "allowedHosts" | "allowedOrigins" | "tailnet" | "trustedProxies" | "throttle"
  >
> {
  /** Replaces `nodes.commands`. */
  commands?: { allow?: readonly string[]; deny?: readonly string[] };
}

/** Applies changes at once, all of them or, when one is wrong, none. */
export function createUpdater(gateway: {
  options: GatewayOptions;
  resolved: ResolvedGatewayOptions;
  connections: ConnectionTable;
  policy: CommandPolicy;
  throttle: Throttle;
  pairing: Pick<PairingService, "nodeConnected">;
  /** Whether all that is listened on is of this machine. */
  mayListenWithoutSecret: () => boolean;
}): (changes: GatewayChanges) => void {
  const { resolved, connections } = gateway;
  let { options } = gateway;

  return ({ commands, ...changes }) => {
    const next = { ...options, ...changes };
    const auth = resolveAuth(next.auth);
    const edge = resolveEdge(next);
    const throttle = resolveThrottleOptions(next.throttle);
    if (auth.mode === "none" && !gateway.mayListenWithoutSecret()) {
      throw new GatewayStartError(
        "BIND_REFUSED",
        "auth.mode none would let anyone in on the addresses that are listened on",
        { hint: "Set a token or a password, or listen on 127.0.0.1." },
      );
    }
    const former = { ...options, auth: resolved.auth };
    options = next;
    // The one object that all parts of the Gateway read their options from.
    Object.assign(resolved, { auth, edge, throttle });
    gateway.throttle.configure(throttle);
    endFormer(connections, former, { ...next, auth });
    if (commands === undefined) return;
    gateway.policy.configure({ allow: new Set(commands.allow), deny: new Set(commands.deny) });
    for (const connection of connections.nodes()) reconsider(connection, gateway);
  };
}

/** What a node offers is looked at again with the commands that are allowed now. */
function reconsider(
  connection: Connection,
  { policy, pairing }: { policy: CommandPolicy; pairing: Pick<PairingService, "nodeConnected"> },
): void {
  const { node } = connection;
  if (!node) return;
  const commands = node.offered.filter((name) => policy.allows(node.platform, name));
  node.declared = { ...node.declared, commands: [...new Set(commands)] };
  pairing.nodeConnected(connection);
}

/** What connections come in by. */
type Trust = Pick<GatewayOptions, "auth" | "tailnet" | "trustedProxies">;

/** Ends the connections that came in by what is no longer true. */
function endFormer(connections: ConnectionTable, former: Trust, now: Trust): void {
  const lostProxy = former.trustedProxies?.some((proxy) => !now.trustedProxies?.includes(proxy));
  for (const connection of connections.all()) {
    const isByProxy = connection.identity.authMethod === "trusted-proxy";
    const isSame = proofOf(connection, former) === proofOf(connection, now);
    if (!isSame || (isByProxy && lostProxy === true))
      connection.close(CLOSE.AUTH_CHANGED, CLOSE_REASON.AUTH_CHANGED);
  }
}

/** The part of the authentication that a connection came in by; the same text means that it still holds. */
function proofOf(connection: Connection, { auth, tailnet }: Trust): string {
  switch (connection.identity.authMethod) {
    case "token":
      return auth.mode === "token" ? `token ${auth.token}` : auth.mode;
    case "password":
      return "password" in auth ? `${auth.mode} ${auth.password}` : auth.mode;
    case "trusted-proxy":
      return auth.mode === "trusted-proxy" ? JSON.stringify({ ...auth, password: "" }) : auth.mode;
    case "tailscale":
      return `${tailnet?.whois !== undefined} ${auth.mode === "token" || auth.mode === "password"}`;
    case "none":
      return auth.mode;
    default:
      return "";
  }
}
