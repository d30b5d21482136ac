import process from "node:process";
import {
  type Env,
  type JsonObject,
  loadConfig,
  type LoadedConfig,
  type LooseConfig,
  resolveGatewayPort,
  resolvePaths,
} from "@openclaw/config";
import type { Leftover, ParsedService, ServiceManager, ServiceStatus } from "@openclaw/service";
import type { CommandContext } from "../program/command-context.ts";
import { textAt } from "../security/audit-facts.ts";
import type { ProbeResult } from "../gateway/probe-gateway.ts";
import type { ChosenGateway } from "../gateway/choose-gateway.ts";
import type { CliService } from "../service/cli-services.ts";
import type { DoctorCheck } from "./finding.ts";

/** A check of this program. */
export type Check = DoctorCheck<DoctorFacts>;

/** The system that a doctor looks at; replaced in tests. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** `22.13.0` */
  readonly nodeVersion: string;
}

/** What the services of this machine look like. */
export interface ServiceFacts {
  readonly manager: ServiceManager;
  readonly service: CliService;
  readonly status: ServiceStatus;
  /** The definition of our service, variables included; not to be shown as it is. */
  readonly definition: ParsedService | undefined;
  readonly leftovers: readonly Leftover[];
  readonly stateDir: string;
}

/** A look at the Gateway that commands go to. */
export interface GatewayLook {
  readonly chosen: ChosenGateway | undefined;
  readonly probe: ProbeResult | undefined;
  /** Why there is no answer, one line. */
  readonly error: string | undefined;
  /** When the answer came, by this machine's clock. */
  readonly atMs: number;
}

/** What checks judge by. What is expensive is asked for once, and only when a check wants it. */
export interface DoctorFacts {
  readonly context: CommandContext;
  readonly machine: Machine;
  readonly loaded: LoadedConfig;
  /** As far as it can be read, variables replaced. */
  readonly loose: LooseConfig;
  readonly config: JsonObject;
  /** With the variables of the config. */
  readonly env: Env;
  readonly mode: string | undefined;
  /** The port of this machine's Gateway. */
  readonly port: number;
  /** Undefined where services are not managed at all. */
  services(): Promise<ServiceFacts | undefined>;
  gateway(): Promise<GatewayLook>;
}

export const THIS_MACHINE: Machine = {
  platform: process.platform,
  nodeVersion: process.versions.node,
};

/** Reads the config and prepares the rest. Changes nothing. */
export async function gatherDoctorFacts(
  context: CommandContext,
  machine: Machine = THIS_MACHINE,
): Promise<DoctorFacts> {
  const { env, paths } = context;
  const { readConfig } = await import("../gateway/choose-gateway.ts");
  const [loaded, loose] = await Promise.all([
    loadConfig({ path: paths.configPath, env }),
    readConfig(context),
  ]);
  const facts: DoctorFacts = {
    context,
    machine,
    loaded,
    loose,
    config: loose.config,
    env: loose.env,
    mode: textAt(loose.config, "gateway.mode"),
    port: resolveGatewayPort({ env: loose.env, config: loose.config }).port,
    services: once(() => lookAtServices(context, machine)),
    gateway: once(async () => {
      const { lookAtGateway } = await import("./look-at-gateway.ts");
      return lookAtGateway(context);
    }),
  };
  return facts;
}

/** The same command line, when files have been moved meanwhile. */
export function withPathsOfNow(context: CommandContext): CommandContext {
  const { io, env, paths } = context;
  const { homedir, cwd } = io;
  return { ...context, paths: resolvePaths({ env, homedir, cwd, profile: paths.profile }) };
}

async function lookAtServices(
  context: CommandContext,
  { platform }: Machine,
): Promise<ServiceFacts | undefined> {
  const [{ createServiceManager, ServiceError }, { cliService }, { auditOptions }] =
    await Promise.all([
      import("@openclaw/service"),
      import("../service/cli-services.ts"),
      import("../service/manage-service.ts"),
    ]);
  const { io, env, paths } = context;
  try {
    const service = cliService(context, "gateway");
    const options = { home: io.homedir, stateDir: paths.stateDir, env, platform };
    const manager = createServiceManager(options);
    const [status, definition, leftovers] = await Promise.all([
      manager.status(service.ref, auditOptions()),
      manager.read(service.ref).catch(() => undefined),
      manager.findLeftovers({ deep: context.flag("deep") }),
    ]);
    const { stateDir } = paths;
    return { manager, service: { ...service, manager }, status, definition, leftovers, stateDir };
  } catch (error) {
    if (error instanceof ServiceError && error.code === "UNSUPPORTED_PLATFORM") return undefined;
    throw error;
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}
