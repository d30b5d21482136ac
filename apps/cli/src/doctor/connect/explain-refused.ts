import { type Carrier } from "./carrier.ts";
import { fault } from "./faults.ts";
import {
  describeHolders,
  findLocalGateways,
  type Interfaces,
  isOwnAddress,
  type LocalGateway,
} from "./local-facts.ts";
import { answersOnLoopback, isLoopback } from "./route-link.ts";
import { goTo, type Trail } from "./trail.ts";

/** Tailscale is asked for a name that is only a hint. */
const TAILSCALE_SHARE_MS = 2_000;

export interface Refused {
  readonly carrier: Carrier;
  readonly addresses: readonly string[];
  readonly cause: unknown;
  /** Of this machine. @default those of the system */
  readonly interfaces?: Interfaces | undefined;
}

/** Why nothing listens on a port, as far as this machine can tell. */
export async function explainRefused(trail: Trail, refused: Refused): Promise<Error> {
  const { host, port } = refused.carrier;
  if (isLoopback(host, refused.addresses)) return explainLoopback(trail, refused);
  const own = refused.addresses.find((address) => isOwnAddress(address, refused.interfaces));
  if (own !== undefined && (await answersOnLoopback(trail, port))) {
    return explainBind(trail, refused, own);
  }
  const isTailnet = isTailnetHost(host, refused.addresses);
  return fault("CONNECTION_REFUSED", `nothing listens on ${host}:${port}.`, {
    at: "route",
    evidence: { errno: "ECONNREFUSED", addresses: refused.addresses },
    fix: isTailnet ? "openclaw config set gateway.bind tailnet" : "openclaw gateway status",
    hint: isTailnet
      ? "On that machine, then openclaw gateway restart. A Gateway that is bound to loopback does not listen on its tailnet address; with Tailscale Serve it answers on wss:// and its MagicDNS name, without a port."
      : "On that machine: it shows whether a Gateway runs, on which port and which address.",
    cause: refused.cause,
  });
}

async function explainLoopback(trail: Trail, { carrier, cause }: Refused): Promise<Error> {
  const { context, gateway } = trail;
  const { target } = gateway;
  const { host, port } = carrier;
  const at = "route" as const;
  const seen = { errno: "ECONNREFUSED", port };
  const isOwnTunnel = target.kind === "remote" || target.kind === "env-url";
  const gateways = findLocalGateways(context);
  const leaving = gateways.find((one) => one.port === port);
  if (leaving !== undefined) {
    const { pid, stateDir } = leaving;
    return fault(
      "GATEWAY_DRAINING",
      `the Gateway of ${host}:${port} runs, and does not listen: it is stopping.`,
      {
        at,
        evidence: { ...seen, gateway: { pid, port, stateDir } },
        fix: context.commandLine("gateway status"),
        hint: "In a moment: it lets running work finish first. If it stays so, restart it.",
        cause,
      },
    );
  }
  const other = gateways.find((one) => one.port !== port);
  if (other !== undefined && !isOwnTunnel) return onOtherPort(trail, other, { seen, cause });

  const { findBrokenTunnelUnits } = await import("./tunnel-units.ts");
  const [unit] = await findBrokenTunnelUnits(context.paths.home, port);
  if (unit !== undefined && (isOwnTunnel || target.kind === "url-flag")) {
    const { path, label, finding } = unit;
    return fault(
      "TUNNEL_FORKS_UNDER_SUPERVISION",
      `nothing listens on ${host}:${port}, and ${label}, which is to keep a tunnel there, cannot work: ${finding.explanation}`,
      {
        at,
        evidence: { ...seen, file: path, finding: finding.code },
        fix: context.commandLine("tunnel install <me@box> --replace-leftovers"),
        hint: `Or mend it by hand: ${finding.cure}`,
        cause,
      },
    );
  }
  if (isOwnTunnel) {
    return fault(
      "TUNNEL_DOWN",
      `nothing listens on ${host}:${port}, where a tunnel of yours should (${target.urlSource}).`,
      {
        at,
        evidence: seen,
        fix: context.commandLine("remote set me@box"),
        hint: `Then each command opens the tunnel it needs. To have one that stays: ${context.commandLine("tunnel install me@box")}`,
        cause,
      },
    );
  }
  return fault("GATEWAY_NOT_RUNNING", `nothing listens on ${host}:${port}.`, {
    at,
    evidence: seen,
    fix: context.commandLine("gateway start"),
    hint: `That starts the service. Without one: ${context.commandLine("gateway run")}`,
    cause,
  });
}

async function onOtherPort(
  trail: Trail,
  other: LocalGateway,
  { seen, cause }: { seen: object; cause: unknown },
): Promise<Error> {
  const { context, gateway } = trail;
  const { port, pid, stateDir } = other;
  const isOwn = stateDir === context.paths.stateDir;
  const holders = await describeHolders(port);
  const isConfigured = gateway.target.kind === "local";
  const asked = context.text("port");
  return fault(
    "GATEWAY_ON_OTHER_PORT",
    `nothing listens there, but a Gateway runs on port ${port} of this machine.`,
    {
      at: "route",
      evidence: {
        ...seen,
        gateway: { pid, port, stateDir },
        ...(holders.length === 0 ? {} : { holders }),
      },
      fix:
        isConfigured && isOwn
          ? context.commandLine(`config set gateway.port ${port}`)
          : context.commandLine(`doctor connect --port ${port}`),
      hint:
        isConfigured && isOwn
          ? `The config names another port (${gateway.target.url}). If that is the right one, restart the Gateway instead: ${context.commandLine("gateway restart")}`
          : asked === undefined
            ? "Name that port wherever the other one is named."
            : undefined,
      cause,
    },
  );
}

async function explainBind(trail: Trail, { carrier, cause }: Refused, own: string): Promise<Error> {
  const { port } = carrier;
  const { context } = trail;
  const isTailnet = isTailnetHost(own, [own]);
  const dnsName = isTailnet ? await magicDnsName(trail) : undefined;
  return fault(
    "BOUND_TO_LOOPBACK",
    `nothing listens on ${own}:${port}, which is this machine; on 127.0.0.1:${port} something does. The Gateway is bound to loopback.`,
    {
      at: "route",
      evidence: {
        errno: "ECONNREFUSED",
        address: own,
        loopback: "answers",
        holders: await describeHolders(port),
        dnsName,
      },
      fix: context.commandLine(`config set gateway.bind ${isTailnet ? "tailnet" : "lan"}`),
      hint:
        dnsName === undefined
          ? `Then: ${context.commandLine("gateway restart")}. From this machine 127.0.0.1 will do: ${goTo(trail, `ws://127.0.0.1:${port}`)}`
          : `Then: ${context.commandLine("gateway restart")}. With Tailscale Serve it is wss://${dnsName}, without a port.`,
      cause,
    },
  );
}

/** Whether it is an address of Tailscale's ranges, or one of its names. */
function isTailnetHost(host: string, addresses: readonly string[]): boolean {
  return (
    host.endsWith(".ts.net") ||
    addresses.some((address) => {
      if (address.toLowerCase().startsWith("fd7a:115c:a1e0:")) return true;
      const [first, second = 0] = address.split(".").map(Number);
      return first === 100 && second >= 64 && second <= 127;
    })
  );
}

/** The name of this machine in its tailnet; undefined where Tailscale does not say in time. */
async function magicDnsName({ context, budget }: Trail): Promise<string | undefined> {
  const { createTailscale } = await import("@openclaw/exposure");
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), budget.explain(TAILSCALE_SHARE_MS)).unref();
  });
  const asked = createTailscale({ env: context.env })
    .status()
    .then(({ dnsName }) => dnsName)
    .catch(() => undefined);
  return Promise.race([asked, late]);
}
