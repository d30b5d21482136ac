import type { ServiceKind, ServiceRuntime, ServiceStatus } from "@openclaw/service";
import { type ConfigSummary, summariseConfig } from "../gateway/config-summary.ts";
import type { CommandContext } from "../program/command-context.ts";
import { cliService } from "./cli-services.ts";
import { auditOptions } from "./manage-service.ts";

/** The service of the Gateway of this machine, for `gateway status`. */
export async function gatewayService(context: CommandContext) {
  const { manager, ref, foreign } = cliService(context, "gateway");
  const [status, leftovers] = await Promise.all([
    manager.status(ref, auditOptions()),
    manager.findLeftovers({ deep: context.flag("deep") }),
  ]);
  return { status, leftovers, isMeant: foreign === undefined };
}

/**
 * What to say of the Gateway's process. The service counts where it runs one; a Gateway may also
 * run without it, and then says so itself.
 */
export function runtimeOfGateway(
  { status, isMeant }: Awaited<ReturnType<typeof gatewayService>>,
  found: ServiceRuntime,
): ServiceRuntime {
  const isItsOwn = isMeant && status.runtime.status === "running";
  const isAllThereIs = status.command !== null && found.status === "stopped";
  return isItsOwn || isAllThereIs ? status.runtime : found;
}

/** The port that the service was given; undefined where it is not this command line's. */
export function portOfService({
  status: { command },
  isMeant,
}: Awaited<ReturnType<typeof gatewayService>>): number | undefined {
  if (command === null || !isMeant) return undefined;
  const { programArguments: words, environment } = command;
  const flag = words.indexOf("--port");
  const text = flag === -1 ? environment["OPENCLAW_GATEWAY_PORT"] : words[flag + 1];
  return text !== undefined && /^\d{1,5}$/u.test(text) ? Number(text) : undefined;
}

export interface ServiceConfig {
  readonly daemon: ConfigSummary;
  readonly mismatch: boolean;
}

/** The config file that the service reads, which may be another than that of this command. */
export async function configOfService(
  context: CommandContext,
  { command }: ServiceStatus,
  config: ConfigSummary,
): Promise<ServiceConfig | undefined> {
  const path = command?.environment["OPENCLAW_CONFIG_PATH"];
  if (path === undefined) return undefined;
  if (path === config.path) return { daemon: config, mismatch: false };
  const paths = { ...context.paths, configPath: path };
  return { daemon: await summariseConfig({ ...context, paths }), mismatch: true };
}

/** A service in a few words, for `status`. */
export interface ServiceSummary {
  readonly label: string;
  readonly installed: boolean;
  readonly loadedText: string;
  /** `running (pid 4711)`; null where it is not installed. */
  readonly runtimeShort: string | null;
}

/** Asks the supervisor only where there is something to ask about. */
export async function summariseService(
  context: CommandContext,
  kind: ServiceKind,
): Promise<ServiceSummary> {
  const { manager, ref } = cliService(context, kind);
  const isInstalled = manager.isInstalled(ref);
  if (!isInstalled) {
    const label = manager.label(ref);
    return { label, installed: false, loadedText: "not installed", runtimeShort: null };
  }
  const { label, loaded, loadedText, notLoadedText, runtime } = await manager.status(ref);
  return {
    label,
    installed: true,
    loadedText: loaded ? loadedText : notLoadedText,
    runtimeShort:
      runtime.pid === undefined ? runtime.status : `${runtime.status} (pid ${runtime.pid})`,
  };
}
