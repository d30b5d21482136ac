import { isEnvSwitchOn } from "@openclaw/config";
import type { ServiceDefinition } from "@openclaw/service";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { CliService } from "./cli-services.ts";
import { environmentFilePath, removeEnvironmentFile } from "./environment-file.ts";
import { hasSystemNode, programEntry } from "./program-entry.ts";
import { answerService, factsOf } from "./service-answer.ts";

/** What a service is audited against. */
export function auditOptions(): { entrypoint: string; hasSystemNode: boolean } {
  return { entrypoint: programEntry(), hasSystemNode: hasSystemNode() };
}

/**
 * Refuses to write or remove a definition where that is not this program's to do.
 *
 * @throws {CliError}
 */
export function assertManageable({ env }: CommandContext, { foreign }: CliService): void {
  if (isEnvSwitchOn(env, "OPENCLAW_NIX_MODE")) {
    throw refusal("OPENCLAW_NIX_MODE is on: services are declared elsewhere.", []);
  }
  if (foreign !== undefined) {
    throw refusal(`services are for the usual places, but ${foreign}.`, [
      "A second instance wants a profile of its own: --profile <name> before the command.",
    ]);
  }
}

export interface InstallInput {
  readonly service: CliService;
  readonly definition: ServiceDefinition;
  /** Told behind the confirmation. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Called just before the service is written and started. */
  readonly prepare: () => Promise<void> | void;
  /** Called when it was started; returns warnings. */
  readonly settle?: () => Promise<readonly string[]>;
}

/** Installs a service and answers. */
export async function installService(
  context: CommandContext,
  { service, definition, notes, warnings, prepare, settle }: InstallInput,
): Promise<number> {
  const { manager, ref } = service;
  const force = context.flag("force");
  const outcome = await manager.install(definition, {
    force,
    enableLinger: context.flag("enable-linger"),
    prepare,
  });
  if (outcome.result === "already-installed") {
    return answerService(context, {
      ok: true,
      action: "install",
      result: outcome.result,
      service: factsOf(await manager.status(ref)),
      lines: [`${outcome.label} is installed already.`],
      warnings: outcome.warnings,
      hints: [`To replace it: ${context.commandLine(`${ref.kind} install --force`)}`],
    });
  }
  const settled = (await settle?.()) ?? [];
  const status = await manager.status(ref, auditOptions());
  return answerService(context, {
    ok: true,
    action: "install",
    result: outcome.result,
    service: factsOf(status),
    lines: [
      `${outcome.result === "updated" ? "Updated" : "Installed"} ${status.label}: it runs now, and at every login.`,
      `Service file: ${outcome.path}`,
      ...(outcome.backupPath === undefined ? [] : [`The former file: ${outcome.backupPath}`]),
      ...notes,
      `Undo: ${context.commandLine(`${ref.kind} uninstall`)}`,
    ],
    warnings: [
      ...warnings,
      ...outcome.warnings,
      ...settled,
      ...status.configAudit.issues.map(({ message, detail }) =>
        detail === undefined ? message : `${message} (${detail})`,
      ),
    ],
    more: { path: outcome.path },
  });
}

/** Stops and removes a service and answers; what it kept in a private file goes with it. */
export async function uninstallService(
  context: CommandContext,
  service: CliService,
): Promise<number> {
  assertManageable(context, service);
  const { manager, ref } = service;
  const outcome = await manager.uninstall(ref);
  removeEnvironmentFile(environmentFilePath(context.paths.stateDir, ref.kind));
  const status = await manager.status(ref);
  const isGone = outcome.result === "uninstalled";
  return answerService(context, {
    ok: true,
    action: "uninstall",
    result: outcome.result,
    service: factsOf(status),
    lines: isGone
      ? [
          `Uninstalled ${outcome.label}.`,
          ...(outcome.movedTo === undefined
            ? []
            : [`Its file is in the Trash: ${outcome.movedTo}`]),
          `Undo: ${context.commandLine(`${ref.kind} install`)}`,
        ]
      : [`${outcome.label} is not installed.`],
  });
}

/** `start`, `stop` or `restart` of an installed service; undefined when there is none. */
export async function controlService(
  context: CommandContext,
  service: CliService,
  action: "start" | "stop" | "restart",
): Promise<number | undefined> {
  const { manager, ref, foreign } = service;
  if (foreign !== undefined) return undefined;
  const outcome =
    action === "start"
      ? await manager.start(ref)
      : action === "restart"
        ? await manager.restart(ref)
        : await manager.stop(ref, { disable: context.flag("disable") });
  if (outcome.result === "not-loaded") return undefined;
  const status = await manager.status(ref);
  return answerService(context, {
    ok: true,
    action,
    result: outcome.result,
    service: factsOf(status),
    lines: [`${outcome.result.charAt(0).toUpperCase()}${outcome.result.slice(1)} ${status.label}.`],
  });
}

/** There is no service to start, stop or restart: says so, and how to get going. */
export async function answerNotLoaded(
  context: CommandContext,
  { manager, ref, foreign }: CliService,
  action: "start" | "stop" | "restart",
): Promise<number> {
  const status = await manager.status(ref);
  return answerService(context, {
    ok: false,
    action,
    result: "not-loaded",
    service: factsOf(status),
    lines: [
      foreign === undefined
        ? `${status.label} is not installed.`
        : `${status.label} is not meant: ${foreign}.`,
    ],
    hints: [
      ...(foreign === undefined
        ? [`Install it as a service: ${context.commandLine(`${ref.kind} install`)}`]
        : []),
      `Run it in the foreground: ${context.commandLine(`${ref.kind} run`)}`,
    ],
  });
}

function refusal(message: string, hints: readonly string[]): CliError {
  return new CliError("cli_error", message, { hints, fields: { kind: "unsupported" } });
}
