import { arch, platform, release } from "node:os";
import { asObject, safeText } from "@openclaw/app-kit";
import { ConfigError, MISSING_REMOTE_URL_SOURCE } from "@openclaw/config";
import { CliError } from "../errors.ts";
import {
  type ChosenGateway,
  chooseGateway,
  isLocalTarget,
  placeOf,
  readConfig,
  viaFields,
} from "../gateway/choose-gateway.ts";
import { type ConfigSummary, summariseConfig } from "../gateway/config-summary.ts";
import { dashboardUrl } from "../gateway/dashboard-url.ts";
import { connectionDetails } from "../gateway/explain-failure.ts";
import { channelLines } from "../gateway/health-view.ts";
import {
  describeExposure,
  type LocalExposure,
  readLocalExposure,
} from "../gateway/local-exposure.ts";
import { type OwnTls, readOwnTls } from "../gateway/own-tls.ts";
import { reportPort } from "../gateway/port-report.ts";
import { probeGateway, type ProbeResult } from "../gateway/probe-gateway.ts";
import { renderFields } from "../output/table.ts";
import type { CommandContext } from "../program/command-context.ts";
import { type ServiceSummary, summariseService } from "../service/service-state.ts";
import { VERSION } from "../version.ts";

const QUICK_BUDGET_MS = 2_500;
const THOROUGH_BUDGET_MS = 5_000;

/** `openclaw status`: always exits 0, since a Gateway that does not answer is part of the answer. */
export async function run(context: CommandContext): Promise<number> {
  const isThorough = context.flag("all") || context.flag("deep");
  const budgetMs = Math.min(
    context.integer("timeout") ?? 10_000,
    isThorough ? THOROUGH_BUDGET_MS : QUICK_BUDGET_MS,
  );
  const config = await summariseConfig(context);
  const chosen = await choose(context);
  const gateway = chosen instanceof Error ? undefined : chosen;
  const probe =
    gateway &&
    (await probeGateway(context, gateway, {
      timeoutMs: budgetMs,
      detail: true,
      deep: context.flag("deep"),
    }));
  if (gateway !== undefined && (context.flag("verbose") || context.flag("debug"))) {
    for (const line of connectionDetails(context, gateway)) context.say(line);
  }
  const services = {
    gateway: await summariseService(context, "gateway"),
    node: await summariseService(context, "node"),
  };
  const loose = gateway?.loose ?? (await readConfig(context));
  const exposure = readLocalExposure(context, loose.config);
  const view: StatusView = {
    config,
    chosen,
    probe,
    services,
    exposure,
    dashboard: gateway === undefined ? null : dashboardUrl(context, gateway, exposure),
    tls: await readOwnTls(context, loose.config),
  };
  const diagnosis = context.flag("all") ? await diagnose(context, view) : [];
  context.answer(statusDocument(context, view), () => humanText(context, view, diagnosis));
  return 0;
}

interface StatusView {
  exposure: LocalExposure;
  /** Where a browser finds the Gateway's page. */
  dashboard: string | null;
  tls: OwnTls | null;
  services: { gateway: ServiceSummary; node: ServiceSummary };
  config: ConfigSummary;
  chosen: ChosenGateway | Error;
  probe: ProbeResult | undefined;
}

async function choose(context: CommandContext): Promise<ChosenGateway | Error> {
  try {
    return await chooseGateway(context, { fallBackToLocal: true });
  } catch (error) {
    // A target that cannot be used is data here; a command line that is wrong is not.
    const isData =
      (error instanceof CliError && error.type === "gateway_credentials_required") ||
      (error instanceof ConfigError && error.code === "INSECURE_URL");
    if (isData) return error;
    throw error;
  }
}

function statusDocument(context: CommandContext, view: StatusView) {
  const { config, chosen, probe, services, exposure, dashboard, tls } = view;
  const target = chosen instanceof Error ? undefined : chosen.target;
  const summary = asObject(probe?.summary);
  return {
    ...summary,
    runtimeVersion: VERSION,
    os: {
      platform: platform(),
      arch: arch(),
      release: release(),
      label: `${platform()} ${release()}`,
    },
    gateway: {
      mode: config.gateway.mode ?? "local",
      url: target?.url ?? null,
      urlSource: target?.urlSource ?? null,
      ...(target === undefined ? {} : viaFields(target, probe?.engine)),
      misconfigured: target?.urlSource === MISSING_REMOTE_URL_SOURCE,
      reachable: probe?.ok === true,
      connectLatencyMs: probe?.latencyMs ?? null,
      self: selfOf(probe) ?? null,
      error: chosen instanceof Error ? chosen.message : (probe?.error ?? null),
      authWarning: null,
      tlsFingerprint: tls?.fingerprint ?? null,
    },
    dashboard,
    tailscale: exposure,
    gatewayService: services.gateway,
    nodeService: services.node,
    nodes: probe?.nodes ?? null,
    config: {
      path: config.path,
      exists: config.exists,
      valid: config.valid,
      issues: config.issues,
    },
    ...(context.flag("deep") ? { health: probe?.health ?? null } : {}),
  };
}

function humanText(
  context: CommandContext,
  view: StatusView,
  diagnosis: readonly string[],
): string {
  const { style } = context;
  const { config, probe } = view;
  const parts = [
    style.bold("Overview"),
    renderFields(
      [
        ["Version", VERSION],
        ["OS", `${platform()} ${release()} ${arch()}, Node ${process.versions.node}`],
        [
          "Config",
          `${config.path}${config.exists ? (config.valid ? "" : style.bad(" (invalid)")) : " (missing)"}`,
        ],
        ["State", context.paths.stateDir],
        ["Dashboard", view.dashboard ?? undefined],
        ["Tailscale", describeExposure(view.exposure)],
        ["Gateway", gatewayRow(context, view)],
        ["TLS fingerprint", view.tls?.fingerprint ?? undefined],
        ["Gateway service", serviceRow(view.services.gateway)],
        ["Node service", serviceRow(view.services.node)],
        [
          "Nodes",
          probe?.nodes === undefined
            ? undefined
            : `${probe.nodes.connected} connected of ${probe.nodes.known}`,
        ],
        ["Agents", agentsOf(probe)],
        ["Sessions", sessionsOf(probe)],
      ],
      style,
    ),
  ];
  if (context.flag("deep")) {
    const health = probe?.health;
    const state =
      health === undefined
        ? style.bad("unreachable")
        : health.ok === false
          ? style.bad("not healthy")
          : style.good("ok");
    parts.push(
      style.bold("Health"),
      [`Gateway: ${state}`, ...channelLines(health ?? {}), ""].join("\n"),
    );
  }
  if (diagnosis.length > 0) parts.push(style.bold("Diagnosis"), [...diagnosis, ""].join("\n"));
  const next = nextSteps(context, view);
  if (next.length > 0) parts.push(style.bold("Next"), next.join("\n"));
  return parts.join("\n");
}

function gatewayRow(context: CommandContext, { chosen, probe }: StatusView): string {
  const { style } = context;
  if (chosen instanceof Error) return style.bad(safeText(chosen.message));
  const { target, credentials } = chosen;
  const place = isLocalTarget(target) ? "local" : "remote";
  if (target.urlSource === MISSING_REMOTE_URL_SOURCE) {
    return `${place} · ${style.bad("misconfigured (remote.url missing)")} · ${target.url} (${target.urlSource})`;
  }
  const secrets = [
    credentials.token === undefined ? "" : "token",
    credentials.password === undefined ? "" : "password",
  ].filter((part) => part !== "");
  const self = selfOf(probe);
  const reach =
    probe?.ok === true
      ? style.good(`reachable ${probe.latencyMs}ms`)
      : style.bad(`unreachable (${safeText(probe?.error)})`);
  return [
    place,
    `${placeOf(target)} (${target.urlSource})`,
    reach,
    `auth ${secrets.length === 0 ? "none" : secrets.join("+")}`,
    ...(self === undefined
      ? []
      : [
          [
            safeText(self.host),
            self.ip === undefined ? "" : `(${safeText(self.ip)})`,
            safeText(self.version),
          ]
            .filter((part) => part !== "")
            .join(" "),
        ]),
  ].join(" · ");
}

function agentsOf(probe: ProbeResult | undefined): string | undefined {
  const agents = probe?.health?.agents ?? [];
  if (agents.length === 0) return undefined;
  return agents
    .map(
      ({ agentId, isDefault }) => `${safeText(agentId)}${isDefault === true ? " (default)" : ""}`,
    )
    .join(", ");
}

function sessionsOf(probe: ProbeResult | undefined): string | undefined {
  const count = probe?.health?.sessions?.count ?? 0;
  return count === 0 ? undefined : String(count);
}

async function diagnose(
  context: CommandContext,
  { config, chosen, probe }: StatusView,
): Promise<string[]> {
  const { style } = context;
  const good = (text: string): string => `${style.good("✓")} ${text}`;
  const warn = (text: string): string => `${style.warn("!")} ${text}`;
  const bad = (text: string): string => `${style.bad("✗")} ${text}`;
  const lines = [
    config.valid
      ? config.exists
        ? good("the config file is valid")
        : warn("there is no config file")
      : bad(
          `the config file is invalid: ${config.issues.map(({ path, message }) => `${safeText(path)} ${safeText(message)}`).join("; ")}`,
        ),
  ];
  if (chosen instanceof Error) return [...lines, bad(safeText(chosen.message))];
  lines.push(
    probe?.ok === true
      ? good(`the Gateway at ${placeOf(chosen.target)} answers`)
      : bad(`the Gateway at ${placeOf(chosen.target)} does not answer: ${safeText(probe?.error)}`),
  );
  if (isLocalTarget(chosen.target)) {
    const report = await reportPort(Number(new URL(chosen.target.url).port), probe?.ok === true);
    const names = report.listeners.map(
      ({ pid, command }) =>
        `${safeText(command ?? "a process")}${pid === undefined ? "" : ` (pid ${pid})`}`,
    );
    if (report.status === "free") lines.push(warn(`nobody listens on port ${report.port}`));
    else if (report.hints.length === 0)
      lines.push(good(`port ${report.port}: ${names.join(", ")}`));
    else lines.push(bad(`port ${report.port}: ${names.join(", ")}. ${report.hints.join(" ")}`));
  }
  const { nodes } = probe ?? {};
  if (nodes !== undefined) {
    lines.push(
      nodes.connected < nodes.known
        ? warn(`${nodes.known - nodes.connected} of ${nodes.known} nodes are not connected`)
        : good(`${nodes.connected} nodes connected`),
    );
  }
  return lines;
}

function serviceRow({ label, installed, loadedText, runtimeShort }: ServiceSummary): string {
  return installed ? `${label} · ${loadedText} · ${runtimeShort}` : loadedText;
}

function nextSteps(context: CommandContext, { chosen, probe, config }: StatusView): string[] {
  if (!config.valid) return [`Mend ${config.path}.`];
  if (chosen instanceof CliError) return [...chosen.hints];
  if (chosen instanceof Error) return [];
  if (probe?.ok !== true) return (probe?.failure?.hints ?? []).slice(0, 2);
  if (probe.nodes?.known === 0) {
    return [`Make this machine a node: ${context.commandLine("node run")}`];
  }
  return [];
}

function selfOf(probe: ProbeResult | undefined) {
  if (probe?.ok !== true) return undefined;
  const entry = probe.presence?.find(({ reason, mode }) => reason === "self" || mode === "gateway");
  return {
    host: entry?.host,
    ip: entry?.ip,
    version: entry?.version ?? probe.server?.version,
    platform: entry?.platform,
  };
}
