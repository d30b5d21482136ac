import { asObject, certificatePlace, portOf, safeText, withOwnPin } from "@openclaw/app-kit";
import { resolveGatewayTarget, type GatewayTarget, withGivenPins } from "@openclaw/config";
import { usageError } from "../errors.ts";
import { type ChosenGateway, credentialsFor, readConfig } from "../gateway/choose-gateway.ts";
import type { Found } from "../discovery/find-gateways.ts";
import { chooseDiscovered } from "../discovery/choose-discovered.ts";
import { chooseSsh } from "../remote/choose-remote.ts";
import { type ConfigSummary, summariseConfig } from "../gateway/config-summary.ts";
import { capabilityOf, probeGateway, type ProbeResult } from "../gateway/probe-gateway.ts";
import type { CommandContext } from "../program/command-context.ts";

type TargetId = "explicit" | "sshTunnel" | "configRemote" | "localLoopback";

interface Candidate {
  id: TargetId;
  heading: string;
  /** Part of what the config says to use now. */
  active: boolean;
  gateway: ChosenGateway;
  budgetMs: number;
}

interface Looked extends Candidate {
  result: ProbeResult;
}

const LOCAL_BUDGET_MS = 800;
const DISCOVERY_BUDGET_MS = 1_200;
const REMOTE_BUDGET_MS = 1_500;
/** For the SSH connection, and then for the Gateway behind it. */
const SSH_BUDGET_MS = 1_500 + 2_000;

/** `openclaw gateway probe`: every Gateway this machine knows of, at once. Exit 1 when none answers. */
export async function run(context: CommandContext): Promise<number> {
  const startedAtMs = Date.now();
  const timeoutMs = context.integer("timeout") ?? 3_000;
  const [{ candidates, found }, config] = await Promise.all([
    findCandidates(context, timeoutMs),
    summariseConfig(context),
  ]);
  const looked = await Promise.all(
    candidates.map(async (candidate): Promise<Looked> => ({
      ...candidate,
      result: await probeGateway(context, candidate.gateway, {
        timeoutMs: candidate.budgetMs,
        detail: true,
      }),
    })),
  );
  const reachable = looked.filter(({ result }) => result.ok);
  const primary = (["explicit", "sshTunnel", "configRemote", "localLoopback"] as const)
    .map((id) => reachable.find((target) => target.id === id))
    .find((target) => target !== undefined);
  const warnings = warningsOf(looked);
  const local = looked.find(({ id }) => id === "localLoopback");
  const document = {
    ok: reachable.length > 0,
    ts: startedAtMs,
    durationMs: Date.now() - startedAtMs,
    timeoutMs,
    primaryTargetId: primary?.id ?? null,
    degraded: reachable.some(({ result }) => result.health === undefined),
    capability: primary === undefined ? "unknown" : capabilityOf(primary.result),
    warnings,
    network: await networkOf(local?.gateway.target.url),
    discovery: discoveryDocument(found, timeoutMs),
    targets: looked.map((target) => targetDocument(target, config)),
  };
  context.answer(document, () => humanText(context, { looked, warnings, timeoutMs, found }));
  return reachable.length > 0 ? 0 : 1;
}

/** How this machine's Gateway is called here, and would be in the tailnet if it listened there. */
async function networkOf(localUrl: string | undefined) {
  const { tailnetAddresses } = await import("@openclaw/exposure");
  const { ipv4 } = tailnetAddresses();
  const inTailnet =
    ipv4 === undefined || localUrl === undefined
      ? null
      : `${new URL(localUrl).protocol}//${ipv4}:${portOf(localUrl)}`;
  return {
    localLoopbackUrl: localUrl ?? null,
    localTailnetUrl: inTailnet,
    tailnetIPv4: ipv4 ?? null,
  };
}

async function findCandidates(
  context: CommandContext,
  timeoutMs: number,
): Promise<{ candidates: Candidate[]; found: Found | undefined }> {
  const loose = await readConfig(context);
  const { configPath } = context.paths;
  const resolve = (config: object, flags: { url?: string; port?: string }): GatewayTarget =>
    resolveGatewayTarget({
      flags,
      env: {
        ...loose.env,
        OPENCLAW_GATEWAY_URL: undefined,
        CLAWDBOT_GATEWAY_URL: undefined,
        MOLTBOT_GATEWAY_URL: undefined,
      },
      config,
      unresolved: loose.unresolved,
      configPath,
      fallBackToLocal: true,
    });
  const choose = (target: GatewayTarget): ChosenGateway => ({
    target,
    credentials: credentialsFor(context, target, loose),
    loose,
  });
  // It is for the one that is named; the others have what the config says.
  const pins = context.list("tls-fingerprint");
  const gateway = asObject(loose.config["gateway"]);
  const isRemoteMode = gateway["mode"] === "remote";
  const candidates: Candidate[] = [];

  const url = context.text("url");
  if (url !== undefined) {
    candidates.push({
      id: "explicit",
      heading: "URL (explicit)",
      active: true,
      ...withBudget(choose(withGivenPins(resolve(loose.config, { url }), pins)), timeoutMs),
    });
  }
  const resolveRemote = (keys: object = {}): GatewayTarget =>
    resolve(
      {
        ...loose.config,
        gateway: {
          ...gateway,
          mode: "remote",
          remote: { ...asObject(gateway["remote"]), ...keys },
        },
      },
      {},
    );
  const remote = resolveRemote();
  // Also where the config goes there directly, and only knows the SSH target.
  const configured = remote.via === undefined ? resolveRemote({ transport: "ssh" }) : remote;
  const ssh = context.text("ssh");
  if (ssh !== undefined || configured.via !== undefined) {
    candidates.push({
      id: "sshTunnel",
      heading: "Remote over SSH",
      active: ssh !== undefined || (isRemoteMode && remote.via !== undefined),
      ...withBudget(
        ssh === undefined
          ? choose(configured)
          : chooseSsh(context, ssh, { loose, configured: () => configured }),
        timeoutMs,
      ),
    });
  }
  const isKnown = ssh !== undefined || configured.via !== undefined;
  const found = isKnown ? undefined : await lookAround(context, timeoutMs);
  const discovered = found === undefined ? undefined : chooseDiscovered(found.beacons, loose);
  if (discovered !== undefined) {
    candidates.push({
      id: "sshTunnel",
      heading: "Remote over SSH (discovered)",
      active: false,
      ...withBudget(discovered, timeoutMs),
    });
  }
  if (remote.kind === "remote" && remote.via === undefined) {
    candidates.push({
      id: "configRemote",
      heading: `Remote (configured)${isRemoteMode ? "" : ", inactive"}`,
      active: isRemoteMode,
      ...withBudget(choose(url === undefined ? withGivenPins(remote, pins) : remote), timeoutMs),
    });
  }
  const port = context.text("port");
  const here = resolve(
    { ...loose.config, gateway: { ...gateway, mode: "local" } },
    port === undefined ? {} : { port },
  );
  const isOnlyDirect = !candidates.some(({ gateway: { target } }) => target.via === undefined);
  const local = isOnlyDirect ? withGivenPins(here, pins) : here;
  candidates.push({
    id: "localLoopback",
    heading: "Local loopback",
    active: !isRemoteMode,
    gateway: choose(await withOwnPin(local, certificatePlace(context.paths, loose.config))),
    budgetMs: Math.min(timeoutMs, LOCAL_BUDGET_MS),
  });
  return { candidates, found };
}

/** Asks the local network, where `--ssh-auto` wants that. */
async function lookAround(context: CommandContext, timeoutMs: number): Promise<Found | undefined> {
  if (!context.flag("ssh-auto")) return undefined;
  if (context.flag("accept-new")) {
    throw usageError(
      "--ssh-auto and --accept-new cannot be combined: anybody on the network can name a host.",
      "Name it yourself: --ssh <target> --accept-new",
    );
  }
  const { findGateways } = await import("../discovery/find-gateways.ts");
  return findGateways(context, Math.min(timeoutMs, DISCOVERY_BUDGET_MS));
}

function discoveryDocument(found: Found | undefined, timeoutMs: number) {
  const beacons = found?.beacons ?? [];
  return {
    timeoutMs: found === undefined ? 0 : Math.min(timeoutMs, DISCOVERY_BUDGET_MS),
    count: beacons.length,
    beacons,
  };
}

function withBudget(
  gateway: ChosenGateway,
  timeoutMs: number,
): Pick<Candidate, "gateway" | "budgetMs"> {
  const most = gateway.target.via === undefined ? REMOTE_BUDGET_MS : SSH_BUDGET_MS;
  return { gateway, budgetMs: Math.min(timeoutMs, most) };
}

/** How many Gateways answered: one may be reached in two ways. */
function countGateways(reachable: readonly Looked[]): number {
  return new Set(reachable.map(({ id, result }) => result.server?.bootId ?? id)).size;
}

function warningsOf(
  looked: readonly Looked[],
): { code: string; message: string; targetIds?: string[] }[] {
  const reachable = looked.filter(({ result }) => result.ok);
  const limited = reachable.filter(({ result }) => result.summary === undefined);
  const warnings: { code: string; message: string; targetIds?: string[] }[] = [];
  if (reachable.length === 0) {
    warnings.push({ code: "no_gateway_reachable", message: "no Gateway answered" });
  }
  for (const { id, result } of looked) {
    if (id !== "sshTunnel" || result.failure?.fields["kind"] !== "ssh") continue;
    warnings.push({
      code: "ssh_tunnel_failed",
      message: result.error ?? "no SSH connection",
      targetIds: [id],
    });
  }
  if (countGateways(reachable) > 1) {
    const targetIds = reachable.map(({ id }) => id);
    warnings.push({
      code: "multiple_gateways",
      message: "more than one Gateway answers; be sure which one you mean",
      targetIds,
    });
  }
  if (limited.length > 0) {
    const targetIds = limited.map(({ id }) => id);
    warnings.push({
      code: "probe_scope_limited",
      message: "connected, but not allowed to read the details",
      targetIds,
    });
  }
  return warnings;
}

function targetDocument({ id, active, gateway, result }: Looked, config: ConfigSummary) {
  const kind = id === "localLoopback" ? "localLoopback" : id;
  const self = selfOf(result);
  return {
    id,
    kind,
    url: gateway.target.url,
    active,
    tunnel: tunnelDocument(gateway, result),
    connect: {
      ok: result.ok,
      rpcOk: result.health !== undefined,
      scopeLimited: result.ok && result.summary === undefined,
      latencyMs: result.latencyMs ?? null,
      error: result.error ?? result.healthError ?? null,
      close: null,
    },
    self: self ?? null,
    auth:
      result.auth === undefined
        ? null
        : { role: result.auth.role, scopes: result.auth.scopes, capability: capabilityOf(result) },
    server: result.server ?? null,
    config: id === "localLoopback" ? config : null,
    health: result.health ?? null,
    summary: result.summary ?? null,
    presence: result.presence ?? null,
  };
}

/** There is no local port and no process: the connection runs in this one. */
function tunnelDocument({ target: { via } }: ChosenGateway, { engine }: ProbeResult) {
  if (via === undefined) return null;
  const { kind, target, remotePort } = via;
  return { kind, target, localPort: null, remotePort, pid: null, engine: engine ?? null };
}

/** The Gateway's own presence entry. */
function selfOf({ presence, server }: ProbeResult) {
  const entry = presence?.find(({ reason, mode }) => reason === "self" || mode === "gateway");
  if (entry === undefined) return server === undefined ? undefined : { version: server.version };
  const { host, ip, version, platform } = entry;
  return { host, ip, version, platform };
}

interface Report {
  readonly looked: readonly Looked[];
  readonly warnings: readonly { message: string }[];
  readonly timeoutMs: number;
  readonly found: Found | undefined;
}

function humanText(
  context: CommandContext,
  { looked, warnings, timeoutMs, found }: Report,
): string {
  const { style } = context;
  const isReachable = looked.some(({ result }) => result.ok);
  const lines = [
    style.bold("Gateway probe"),
    `Reachable: ${isReachable ? style.good("yes") : style.bad("no")}`,
    style.dim(`Probe budget: ${timeoutMs}ms`),
    ...warnings.map(({ message }) => style.warn(`Warning: ${message}`)),
    ...(found === undefined ? [] : [`Discovered: ${found.beacons.length} · domains: local.`]),
    "",
    style.bold("Targets"),
  ];
  for (const { heading, gateway, result } of looked) {
    lines.push(`${heading}  ${gateway.target.url}`);
    if (gateway.target.via !== undefined) lines.push(`  ssh: ${gateway.target.via.target}`);
    lines.push(`  ${connectText(context, result)}`);
    const self = selfOf(result);
    if (self !== undefined) {
      const place =
        "host" in self
          ? `${safeText(self.host)} (${safeText(self.ip)}) · ${safeText(self.platform)} · `
          : "";
      lines.push(`  Gateway: ${place}app ${safeText(self.version)}`);
    }
    const [hint] =
      result.failure?.type === "gateway_transport_error" && result.failure.fields["kind"] !== "ssh"
        ? []
        : (result.failure?.hints ?? []);
    if (hint !== undefined) lines.push(`  ${style.dim(safeText(hint))}`);
  }
  return lines.join("\n");
}

function connectText({ style }: CommandContext, result: ProbeResult): string {
  if (!result.ok) return `Connect: ${style.bad("failed")} - ${safeText(result.error)}`;
  const rpc =
    result.health === undefined
      ? `RPC: failed - ${safeText(result.healthError)}`
      : `RPC: ${style.good("ok")}`;
  return `Connect: ${style.good("ok")} (${result.latencyMs}ms) · ${rpc}`;
}
