import { asObject, safeText } from "@openclaw/app-kit";
import { MISSING_REMOTE_URL_SOURCE, resolveGatewayPort } from "@openclaw/config";
import { isAlive, readInstance } from "@openclaw/gateway/instance-file";
import { describeHolder } from "@openclaw/gateway/port-holder";
import type { ServiceRuntime } from "@openclaw/service";
import { CliError, usageError } from "../errors.ts";
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
import { describeExposure, readLocalExposure } from "../gateway/local-exposure.ts";
import { ownTlsFields, readOwnTls } from "../gateway/own-tls.ts";
import { type PortReport, reportPort } from "../gateway/port-report.ts";
import { capabilityOf, probeGateway, type ProbeResult } from "../gateway/probe-gateway.ts";
import { renderFields } from "../output/table.ts";
import type { CommandContext } from "../program/command-context.ts";
import {
  extraServiceFields,
  extraServices,
  runtimeFields,
  serviceFields,
} from "../service/service-report.ts";
import {
  configOfService,
  gatewayService,
  portOfService,
  runtimeOfGateway,
} from "../service/service-state.ts";
import { VERSION } from "../version.ts";

const SERVICE_ARGS = "service args";

/** `openclaw gateway status`: about this machine; trouble is data, not failure. */
export async function run(context: CommandContext): Promise<number> {
  const isProbing = !context.flag("no-probe");
  const mustAnswer = context.flag("require-rpc");
  if (mustAnswer && !isProbing)
    throw usageError("--require-rpc and --no-probe cannot be combined.");

  const config = await summariseConfig(context);
  const found = await gatewayService(context);
  const { chosen, servicePort } = await chooseWithService(context, portOfService(found));
  const probe =
    isProbing && !(chosen instanceof CliError)
      ? await probeGateway(context, chosen, { timeoutMs: context.integer("timeout") ?? 10_000 })
      : undefined;
  const local = await localGateway(context, chosen, { probe, servicePort });
  const service = { ...found.status, runtime: runtimeOfGateway(found, local.runtime) };
  const serviceConfig = await configOfService(context, found.status, config);
  const rpc = rpcOf(chosen, probe);
  const loose = await readConfig(context);
  const tls = await readOwnTls(context, loose.config);
  const exposure = readLocalExposure(context, loose.config);
  const dashboard = chosen instanceof CliError ? null : dashboardUrl(context, chosen, exposure);
  const isRunning = isUp(chosen, { rpc, runtime: service.runtime, isProbing });
  const { style } = context;
  const document = {
    cli: { version: VERSION },
    service,
    config: { cli: config, ...serviceConfig },
    gateway: { ...local.gateway, isRunning, tls, exposure, dashboardUrl: dashboard },
    port: local.port,
    ...(isProbing ? { rpc } : {}),
    extraServices: extraServices(found.leftovers),
  };
  context.answer(document, () => {
    const headline = isRunning ? style.good("✅ Running") : style.bad("❌ Not running");
    const fields = renderFields(
      [
        ...serviceFields(context, service, "gateway"),
        ["Config (cli):", `${config.path}${configState(config)}`],
        ...config.issues.map((issue): [string, string] => [
          "",
          style.warn(`${safeText(issue.path)}: ${safeText(issue.message)}`),
        ]),
        [
          "Config (service):",
          serviceConfig && `${serviceConfig.daemon.path}${configState(serviceConfig.daemon)}`,
        ],
        [
          "",
          serviceConfig?.mismatch === true
            ? style.warn("the service reads another config file than this command does")
            : undefined,
        ],
        [
          "Gateway:",
          `bind=${local.gateway.bindMode} (${local.gateway.bindHost}), port=${local.gateway.port} (${local.gateway.portSource})`,
        ],
        ["Tailscale:", exposure.mode === "off" ? undefined : describeExposure(exposure)],
        ["Dashboard:", dashboard ?? undefined],
        ...ownTlsFields(tls),
        [
          "Probe target:",
          chosen instanceof CliError
            ? undefined
            : `${placeOf(chosen.target)} (${chosen.target.urlSource})`,
        ],
        ["Probe note:", local.gateway.probeNote],
        ...runtimeFields(context, service.runtime),
        ["RPC probe:", isProbing ? (rpc.ok ? style.good("ok") : style.bad("failed")) : "not asked"],
        ["", rpc.error === null ? undefined : safeText(rpc.error)],
        ...hintsOf(chosen, probe).map((hint): [string, string] => ["", style.dim(safeText(hint))]),
        [
          "Server:",
          probe?.ok === true
            ? `${safeText(probe.server?.version ?? "unknown version")}, protocol ${probe.protocol}, ${capabilityOf(probe)}`
            : undefined,
        ],
        ...local.port.listeners.map((listener): [string, string] => [
          "Listening:",
          safeText(describeHolder(listener)),
        ]),
        ...local.port.hints.map((hint): [string, string] => ["", style.warn(hint)]),
        ...extraServiceFields(context, found.leftovers),
        [
          "Troubles:",
          rpc.ok || !isProbing ? undefined : `run ${context.commandLine("status --all")}`,
        ],
      ],
      style,
    );
    return `${headline}\n${fields}`;
  });
  return mustAnswer && !rpc.ok ? 1 : 0;
}

/** `--url` without a credential is reported in `rpc` here, and refused everywhere else. */
async function choose(context: CommandContext): Promise<ChosenGateway | CliError> {
  try {
    return await chooseGateway(context, { fallBackToLocal: true });
  } catch (error) {
    if (error instanceof CliError && error.type === "gateway_credentials_required") return error;
    throw error;
  }
}

/**
 * Where nothing else is said, the Gateway of this machine is where its service listens, whatever the
 * config says by now.
 */
async function chooseWithService(
  context: CommandContext,
  port: number | undefined,
): Promise<{ chosen: ChosenGateway | CliError; servicePort?: number | undefined }> {
  const chosen = await choose(context);
  const isOpen =
    !(chosen instanceof CliError) &&
    chosen.target.kind === "local" &&
    context.text("port") === undefined;
  if (!isOpen || port === undefined) return { chosen };
  const text = (name: string): string | undefined =>
    name === "port" ? String(port) : context.text(name);
  const there = await choose({ ...context, text });
  if (there instanceof CliError) return { chosen: there, servicePort: port };
  const target = { ...there.target, urlSource: SERVICE_ARGS };
  return { chosen: { ...there, target }, servicePort: port };
}

interface LocalInput {
  probe: ProbeResult | undefined;
  servicePort: number | undefined;
}

async function localGateway(
  context: CommandContext,
  chosen: ChosenGateway | CliError,
  { probe, servicePort }: LocalInput,
) {
  const loose = chosen instanceof CliError ? undefined : chosen.loose;
  const { port, source } =
    servicePort === undefined
      ? resolveGatewayPort({
          flag: context.text("port"),
          env: loose?.env ?? context.env,
          config: loose?.config ?? {},
        })
      : { port: servicePort, source: SERVICE_ARGS };
  const gateway = asObject(loose?.config["gateway"]);
  const bindMode = typeof gateway["bind"] === "string" ? gateway["bind"] : "loopback";
  const isLocal = !(chosen instanceof CliError) && isLocalTarget(chosen.target);
  const report = await reportPort(port, isLocal && probe?.ok === true);
  return {
    gateway: {
      version: probe?.ok === true ? (probe.server?.version ?? null) : null,
      bindMode,
      bindHost: bindHostOf(context, bindMode, gateway["customBindHost"]),
      customBindHost: gateway["customBindHost"] ?? null,
      port,
      portSource: source,
      probeUrl: chosen instanceof CliError ? null : chosen.target.url,
      probeNote: probeNote(bindMode, chosen),
    },
    port: report,
    runtime: runtimeOf(context, report, isLocal && probe?.ok === true),
  };
}

/** From the file that a running Gateway leaves, else from who holds the port and what it answers. */
function runtimeOf(
  context: CommandContext,
  report: PortReport,
  isAnswering: boolean,
): ServiceRuntime {
  const instance = readInstance(context.paths.stateDir);
  if (instance !== undefined && isAlive(instance.pid)) {
    const elsewhere = instance.port === report.port ? "" : ` on port ${instance.port}`;
    return { status: "running", pid: instance.pid, detail: `foreground${elsewhere}` };
  }
  const [holder] = report.listeners;
  if (holder === undefined) return { status: isAnswering ? "running" : "stopped" };
  if (isAnswering) {
    const pid = holder.pid === undefined ? {} : { pid: holder.pid };
    return { status: "running", ...pid, detail: "not started with this state directory" };
  }
  return { status: "unknown", detail: `port held by ${describeHolder(holder)}` };
}

function rpcOf(chosen: ChosenGateway | CliError, probe: ProbeResult | undefined) {
  if (chosen instanceof CliError) {
    return { ok: false, kind: "connect", url: null, error: chosen.message };
  }
  return {
    ok: probe?.ok === true,
    kind: "connect",
    url: chosen.target.url,
    ...viaFields(chosen.target, probe?.engine),
    error: probe?.error ?? null,
    ...(probe?.ok === true
      ? {
          capability: capabilityOf(probe),
          latencyMs: probe.latencyMs,
          auth: {
            role: probe.auth?.role,
            scopes: probe.auth?.scopes,
            capability: capabilityOf(probe),
          },
          server: probe.server,
          version: probe.server?.version,
        }
      : {}),
  };
}

/** Whether the Gateway that is asked about runs: this machine's, or the one that commands go to. */
function isUp(
  chosen: ChosenGateway | CliError,
  facts: { rpc: { ok: boolean }; runtime: ServiceRuntime; isProbing: boolean },
): boolean {
  const isElsewhere = !(chosen instanceof CliError) && chosen.target.kind === "remote";
  if (facts.rpc.ok) return true;
  return !(isElsewhere && facts.isProbing) && facts.runtime.status === "running";
}

function hintsOf(
  chosen: ChosenGateway | CliError,
  probe: ProbeResult | undefined,
): readonly string[] {
  if (chosen instanceof CliError) return chosen.hints;
  return probe?.failure?.hints.slice(0, 2) ?? [];
}

function configState({ exists, valid }: ConfigSummary): string {
  if (!exists) return " (missing)";
  return valid ? "" : " (invalid)";
}

/** The first address of the bind; that of the tailnet only a running Gateway knows. */
function bindHostOf({ paths }: CommandContext, mode: string, customBindHost: unknown): string {
  if (mode === "lan") return "0.0.0.0";
  if (mode === "custom" && typeof customBindHost === "string") return customBindHost;
  const instance = mode === "tailnet" ? readInstance(paths.stateDir) : undefined;
  if (instance === undefined || !isAlive(instance.pid)) return "127.0.0.1";
  const urls = (instance.ways?.urls ?? [instance.url]).filter((url) => URL.canParse(url));
  return urls.map((url) => new URL(url).hostname).find(isTailnetHost) ?? "127.0.0.1";
}

function isTailnetHost(host: string): boolean {
  return host !== "127.0.0.1" && host !== "[::1]";
}

function probeNote(bindMode: string, chosen: ChosenGateway | CliError): string | undefined {
  if (!(chosen instanceof CliError)) {
    if (chosen.target.urlSource === MISSING_REMOTE_URL_SOURCE) return chosen.target.warning;
    if (chosen.target.kind === "remote")
      return `commands go to ${chosen.target.urlSource.replace(/^config /u, "")}; the rest is about this machine`;
  }
  if (bindMode === "loopback") return "loopback only: nothing but this machine can reach it";
  return bindMode === "lan" ? "listens on 0.0.0.0; probed on loopback" : undefined;
}
