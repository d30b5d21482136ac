import { existsSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { type AuditOptions, auditService } from "../audit/service-audit.ts";
import type { ParsedService } from "../definition/parsed-service.ts";
import {
  namesOf,
  type ServiceDefinition,
  type ServiceRef,
} from "../definition/service-definition.ts";
import { ServiceError } from "../errors.ts";
import { findLeftovers } from "../leftovers/find-leftovers.ts";
import { removeLeftover } from "../leftovers/remove-leftover.ts";
import {
  makeDirectory,
  moveToTrash,
  readDefinition,
  removeDefinition,
  writeDefinition,
} from "./definition-file.ts";
import { listServices } from "./list-services.ts";
import { chooseDriver, resolveMachine } from "./machine.ts";
import type { ActionOutcome, ServiceManager, ServiceManagerOptions } from "./service-manager.ts";
import { type AuditIssue, type ServiceStatus, shownCommand } from "./service-status.ts";
import type { SupervisorDriver } from "./supervisor.ts";

/**
 * Manages the services of a user with what the system has for it: launchd, the user's systemd, the
 * Task Scheduler.
 *
 * @throws {@link ServiceError} `UNSUPPORTED_PLATFORM`
 */
export function createServiceManager(options: ServiceManagerOptions = {}): ServiceManager {
  const machine = resolveMachine(options);
  const driver = chooseDriver(options.platform ?? process.platform, machine);

  async function parsed(ref: ServiceRef): Promise<ParsedService | undefined> {
    const path = driver.definitionPath(namesOf(ref));
    const content = await readDefinition(path);
    return content === undefined ? undefined : driver.parse(content, path);
  }

  async function status(ref: ServiceRef, audit: AuditOptions = {}): Promise<ServiceStatus> {
    const names = namesOf(ref);
    const path = driver.definitionPath(names);
    const [service, loaded, runtime] = await Promise.all([
      parsed(ref).catch((error: unknown) => unreadable(error)),
      driver.isLoaded(names).catch(() => false),
      driver.runtime(names).catch((error: unknown) => unknownRuntime(error)),
    ]);
    const isReadable = service !== undefined && !(service instanceof ServiceError);
    const issues = isReadable ? auditService(ref.kind, service, audit) : unreadableIssue(service);
    return {
      label: driver.label(names),
      loaded,
      loadedText: driver.loadedText,
      notLoadedText: driver.notLoadedText,
      command: isReadable ? shownCommand(service, path) : null,
      runtime:
        service === undefined && runtime.status === "stopped"
          ? { ...runtime, missingUnit: true }
          : runtime,
      configAudit: { ok: issues.length === 0, issues },
    };
  }

  async function whenInstalled<Done extends string>(
    ref: ServiceRef,
    done: Done,
    act: () => Promise<void>,
  ): Promise<ActionOutcome<Done>> {
    const names = namesOf(ref);
    const label = driver.label(names);
    if (!existsSync(driver.definitionPath(names))) return { result: "not-loaded", label };
    await act();
    return { result: done, label };
  }

  return {
    supervisor: driver.supervisor,
    label: (ref) => driver.label(namesOf(ref)),
    definitionPath: (ref) => driver.definitionPath(namesOf(ref)),
    isInstalled: (ref) => existsSync(driver.definitionPath(namesOf(ref))),
    read: parsed,
    status,

    async install(definition, { force = false, enableLinger = false, prepare } = {}) {
      const text = driver.render(definition);
      const names = namesOf(definition);
      const path = driver.definitionPath(names);
      const label = driver.label(names);
      await driver.assertAvailable();
      const before = await readDefinition(path);
      if (before !== undefined && !force && (await driver.isLoaded(names))) {
        const warnings = await driver.warnings({ enableLinger });
        return { result: "already-installed", label, path, warnings };
      }
      await prepare?.();
      const backupPath = await keepForeign(path, before);
      if (definition.logs !== undefined) {
        await makeDirectory(dirname(definition.logs.stdout));
        await makeDirectory(dirname(definition.logs.stderr));
      }
      await writeDefinition(path, text);
      try {
        await driver.activate(names, definition);
      } catch (error) {
        await restore(driver, definition, before);
        throw error;
      }
      return {
        result: before === undefined ? "installed" : "updated",
        label,
        path,
        ...(backupPath === undefined ? {} : { backupPath }),
        warnings: await driver.warnings({ enableLinger }),
      };
    },

    async uninstall(ref) {
      const names = namesOf(ref);
      const path = driver.definitionPath(names);
      const label = driver.label(names);
      const isThere = (await readDefinition(path)) !== undefined;
      // launchd and the Task Scheduler may know a service whose file somebody has deleted.
      const isKnown = isThere || (await driver.isLoaded(names));
      if (!isKnown) return { result: "not-installed", label, path };
      await driver.deactivate(names);
      const movedTo =
        isThere && driver.supervisor === "launchd"
          ? await moveToTrash(path, machine.home)
          : undefined;
      await removeDefinition(path);
      await driver.forget(names);
      return {
        result: "uninstalled",
        label,
        path,
        ...(movedTo === undefined ? {} : { movedTo }),
      };
    },

    start: (ref) => whenInstalled(ref, "started", () => driver.start(namesOf(ref))),
    stop: (ref, stopOptions = {}) =>
      whenInstalled(ref, "stopped", () => driver.stop(namesOf(ref), stopOptions)),
    restart: (ref) => whenInstalled(ref, "restarted", () => driver.restart(namesOf(ref))),

    async list(kind) {
      const refs = await listServices(driver, kind);
      return Promise.all(refs.map(async (ref) => ({ ref, status: await status(ref) })));
    },
    findLeftovers: (leftoverOptions) => findLeftovers(driver, machine, leftoverOptions),
    removeLeftover: (leftover) => removeLeftover(driver, machine, leftover),
  };
}

/** Every definition of this package carries the marker; another one may be dear to somebody. */
async function keepForeign(
  path: string,
  before: Uint8Array | undefined,
): Promise<string | undefined> {
  if (before === undefined || Buffer.from(before).includes("OPENCLAW_SERVICE_MARKER"))
    return undefined;
  const backupPath = `${path}.bak`;
  // It may hold what somebody should not have put there.
  await writeDefinition(backupPath, before, 0o600);
  return backupPath;
}

/** Undoes an installation that failed, as far as that is possible. */
async function restore(
  driver: SupervisorDriver,
  definition: ServiceDefinition,
  before: Uint8Array | undefined,
): Promise<void> {
  const names = namesOf(definition);
  const path = driver.definitionPath(names);
  const ignore = (): undefined => undefined;
  if (before === undefined) {
    await driver.deactivate(names).catch(ignore);
    await removeDefinition(path).catch(ignore);
    await driver.forget(names).catch(ignore);
    return;
  }
  await writeDefinition(path, before).catch(ignore);
  await driver.forget(names).catch(ignore);
}

function unreadable(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  throw error;
}

function unreadableIssue(service: ServiceError | undefined | ParsedService): AuditIssue[] {
  if (!(service instanceof ServiceError)) return [];
  return [{ code: "definition-unreadable", message: service.message, level: "recommended" }];
}

function unknownRuntime(error: unknown): { status: "unknown"; detail: string } {
  if (error instanceof ServiceError) return { status: "unknown", detail: error.message };
  throw error;
}
