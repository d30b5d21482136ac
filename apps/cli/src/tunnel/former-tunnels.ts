import { auditTunnelService, type Leftover, ServiceError } from "@openclaw/service";
import type { CommandContext } from "../program/command-context.ts";
import type { CliService } from "../service/cli-services.ts";
import { extraServices } from "../service/service-report.ts";

/** Tunnels under former names, and what is wrong with the definition that is in the place. */
export interface FormerTunnels {
  readonly leftovers: readonly Leftover[];
  readonly warnings: readonly string[];
}

/** Looks for what tutorials and earlier releases have left, and for their well-known mistakes. */
export async function findFormerTunnels({ manager, ref }: CliService): Promise<FormerTunnels> {
  const leftovers = (await manager.findLeftovers()).filter(({ kind }) => kind === "tunnel");
  const others = leftovers.flatMap(({ service }) => service ?? []);
  const inPlace = await manager.read(ref).catch((error: unknown) => {
    // It is about to be replaced; a copy is kept.
    if (error instanceof ServiceError) return undefined;
    throw error;
  });
  const findings = inPlace === undefined ? [] : auditTunnelService(inPlace, { others });
  return {
    leftovers,
    warnings: findings.map(
      ({ explanation, cure }) => `${manager.definitionPath(ref)}: ${explanation} ${cure}`,
    ),
  };
}

export interface ReplacedLeftovers {
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

/** Removes leftovers where that was asked for, and offers it where it was not. */
export async function replaceLeftovers(
  context: CommandContext,
  { manager }: CliService,
  leftovers: readonly Leftover[],
): Promise<ReplacedLeftovers> {
  const lines: string[] = [];
  const warnings: string[] = [];
  const described = extraServices(leftovers);
  for (const [index, leftover] of leftovers.entries()) {
    const { label, scope, recommendation } = leftover;
    const isOurs = scope === "user" && recommendation !== "report";
    if (isOurs && context.flag("replace-leftovers")) {
      // One after the other, so that a failure tells which one it is about.
      // oxlint-disable-next-line no-await-in-loop
      const { movedTo } = await manager.removeLeftover(leftover);
      lines.push(
        `Removed ${label}${movedTo === undefined ? "." : `: it is in the Trash, ${movedTo}`}`,
      );
    } else {
      const offer = isOurs ? " To remove it, add --replace-leftovers." : "";
      warnings.push(`${label}: ${described[index]?.detail ?? leftover.reason}${offer}`);
    }
  }
  return { lines, warnings };
}
