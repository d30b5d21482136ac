import type { ServiceDefinition } from "@openclaw/service";
import type { CommandContext } from "../program/command-context.ts";
import { TUNNEL_OPTIONS } from "../program/tunnel-commands.ts";
import type { CliService } from "../service/cli-services.ts";
import { defineService } from "../service/define-service.ts";
import { assertManageable } from "../service/manage-service.ts";
import { answerService, asServiceAnswer, factsOf } from "../service/service-answer.ts";
import { findFormerTunnels, replaceLeftovers } from "../tunnel/former-tunnels.ts";
import { planTunnel, type TunnelPlan } from "../tunnel/plan-tunnel.ts";
import { removeFailure } from "../tunnel/record-files.ts";
import { runningPid, settleTunnel } from "../tunnel/settle-tunnel.ts";
import { checkTunnelName, DEFAULT_NAME } from "../tunnel/tunnel-name.ts";
import { tunnelService } from "../tunnel/tunnel-service.ts";

/** `openclaw tunnel install`: a tunnel that is there at every login. */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "install", async () => {
    const plan = await planTunnel(context);
    const name = checkTunnelName(context.text("name") ?? DEFAULT_NAME);
    const service = tunnelService(context, name);
    assertManageable(context, service);
    const { manager, ref } = service;
    const { leftovers, warnings } = await findFormerTunnels(service);
    const before = await manager.status(ref);
    if (before.loaded && before.command !== null && !context.flag("force")) {
      return answerService(context, {
        ok: true,
        action: "install",
        result: "already-installed",
        service: factsOf(before),
        lines: [`${before.label} is installed already.`],
        warnings,
        hints: [
          "To replace it, add --force; for a second tunnel, add --name <name>.",
          `Look at it: ${context.commandLine(`tunnel status ${name}`)}`,
        ],
      });
    }
    const replaced = await replaceLeftovers(context, service, leftovers);
    const formerPid = await runningPid(context, name);
    removeFailure(context.paths.stateDir, name);
    const outcome = await manager.install(defineTunnel(context, service, { name, plan }), {
      force: true,
      enableLinger: context.flag("enable-linger"),
    });
    const settled = await settleTunnel(context, { name, label: outcome.label, formerPid });
    const isUpdate = outcome.result === "updated";
    return answerService(context, {
      ok: true,
      action: "install",
      result: isUpdate && before.command !== null ? "updated" : "installed",
      service: factsOf(await manager.status(ref)),
      lines: [
        ...replaced.lines,
        `${isUpdate ? "Updated" : "Installed"} ${outcome.label}: the tunnel to ${plan.shown}, now and at every login.`,
        ...settled.lines,
        `Service file: ${outcome.path}`,
        ...(outcome.backupPath === undefined ? [] : [`The former file: ${outcome.backupPath}`]),
        `Undo: ${context.commandLine(`tunnel uninstall ${name}`)}`,
      ],
      warnings: [...warnings, ...replaced.warnings, ...outcome.warnings, ...settled.warnings],
      more: { name, path: outcome.path, isOpen: settled.lines.length > 0 },
    });
  });
}

/** Never ssh itself: what is supervised is this program, which tells why and when it comes back. */
function defineTunnel(
  context: CommandContext,
  service: CliService,
  { name, plan }: { name: string; plan: TunnelPlan },
): ServiceDefinition {
  // Without a target of its own, the config is read at each start.
  const target = context.args.length === 0 ? [] : [plan.written];
  const words = ["tunnel", "open", ...target, "--name", name, ...givenOptions(context, plan)];
  const definition = defineService(context, service, { words });
  return {
    ...definition,
    description: definition.description.replace("Tunnel", () => `Tunnel to ${plan.shown}`),
    environment: { ...definition.environment, OPENCLAW_SERVICE_NAME: name },
  };
}

/** What was typed; paths in full, for a service has another working directory. */
function givenOptions(context: CommandContext, { options }: TunnelPlan): string[] {
  const { sshConfig } = options;
  const paths: Readonly<Record<string, string | undefined>> = {
    identity: options.identity,
    "known-hosts": options.knownHosts,
    "ssh-config": sshConfig === false ? "none" : sshConfig,
  };
  return TUNNEL_OPTIONS.flatMap(({ name, kind }) => {
    if (kind === "flag") return context.flag(name) ? [`--${name}`] : [];
    if (kind === "list") return context.list(name).flatMap((value) => [`--${name}`, value]);
    const typed = context.text(name);
    return typed === undefined ? [] : [`--${name}`, paths[name] ?? typed];
  });
}
