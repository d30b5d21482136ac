import { ServiceError, serviceNames, type InstalledService } from "@openclaw/service";
import type { CommandContext } from "../program/command-context.ts";
import { type CliService, cliService } from "../service/cli-services.ts";
import { DEFAULT_NAME } from "./tunnel-name.ts";

/** The service of one tunnel of this profile. Touches nothing. */
export function tunnelService(context: CommandContext, name: string): CliService {
  const service = cliService(context, "tunnel");
  const { profile } = service.ref;
  // The tunnels of a profile have names of their own; those of the environment are for one service.
  const names = serviceNames("tunnel", profile, name);
  return { ...service, ref: { kind: "tunnel", profile, name, names } };
}

/** A tunnel of this profile that is installed as a service. */
export interface InstalledTunnel extends InstalledService {
  readonly name: string;
  /** As the definition has it. */
  readonly target: string | undefined;
}

/** The tunnels of this profile that are installed; none where services are not managed at all. */
export async function installedTunnels(context: CommandContext): Promise<InstalledTunnel[]> {
  try {
    const { manager, foreign, ref: own } = cliService(context, "tunnel");
    if (foreign !== undefined) return [];
    const services = await manager.list("tunnel");
    return services
      .filter(({ ref }) => ref.profile === own.profile)
      .map((service) => ({
        ...service,
        name: service.ref.name ?? DEFAULT_NAME,
        target: targetOf(service.status.command?.programArguments ?? []),
      }));
  } catch (error) {
    if (error instanceof ServiceError && error.code === "UNSUPPORTED_PLATFORM") return [];
    throw error;
  }
}

/** `… tunnel open <target> …`, as `tunnel install` writes it. */
function targetOf(words: readonly string[]): string | undefined {
  const at = words.findIndex((word, index) => word === "open" && words[index - 1] === "tunnel");
  const target = at === -1 ? undefined : words[at + 1];
  // Without a target it follows the config.
  return target?.startsWith("-") ? undefined : target;
}
