import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { findSecrets } from "../definition/find-secrets.ts";
import type { ParsedService, Supervisor } from "../definition/parsed-service.ts";
import type { ServiceKind } from "../definition/service-names.ts";
import { ServiceError } from "../errors.ts";
import { readDefinition } from "../manager/definition-file.ts";
import { type Machine, QUERY_TIMEOUT_MS, type SupervisorDriver } from "../manager/supervisor.ts";
import { hasMarker, knownLeftover, type Recommendation } from "./known-leftovers.ts";

export interface FindLeftoversOptions {
  /** Also looks into the folders of the system. @default false */
  readonly deep?: boolean | undefined;
}

/** A definition that an earlier release or a tutorial has left. */
export interface Leftover {
  readonly kind: ServiceKind;
  readonly supervisor: Supervisor;
  /** Label, unit or task. */
  readonly label: string;
  /** Its file; for a task of Windows, its name. */
  readonly path: string;
  /** `system`: of the machine, and not this user's to change. */
  readonly scope: "user" | "system";
  readonly recommendation: Recommendation;
  /** Why, for people. */
  readonly reason: string;
  /** Names of variables and flags in it that hold a secret. */
  readonly secrets: readonly string[];
  /** What it runs, where that can be read. */
  readonly service?: ParsedService | undefined;
}

const EXTENSIONS: Readonly<Record<"launchd" | "systemd", string>> = {
  launchd: ".plist",
  systemd: ".service",
};

/**
 * Finds definitions with a former name and with a marker in their content. Both have to be there:
 * a name alone may be anybody's.
 */
export async function findLeftovers(
  driver: SupervisorDriver,
  machine: Machine,
  { deep = false }: FindLeftoversOptions = {},
): Promise<Leftover[]> {
  if (driver.supervisor === "schtasks") return findTasks(machine);
  const { supervisor } = driver;
  const system = deep ? systemFolders(supervisor, machine.systemRoot) : [];
  const folders = await distinct([
    { folder: driver.directory, scope: "user" },
    ...system.map((folder) => ({ folder, scope: "system" }) as const),
  ]);
  const found = await Promise.all(folders.map((entry) => findInFolder(driver, supervisor, entry)));
  return found.flat();
}

interface Folder {
  readonly folder: string;
  readonly scope: Leftover["scope"];
}

async function findInFolder(
  driver: SupervisorDriver,
  supervisor: "launchd" | "systemd",
  { folder, scope }: Folder,
): Promise<Leftover[]> {
  const extension = EXTENSIONS[supervisor];
  const files = (await filesIn(folder)).filter((file) => file.endsWith(extension));
  const found = await Promise.all(
    files.map(async (file) => {
      const label = supervisor === "launchd" ? file.slice(0, -extension.length) : file;
      const known = knownLeftover(supervisor, label);
      if (known === undefined) return [];
      const path = join(folder, file);
      const content = await readDefinition(path);
      if (content === undefined || !hasMarker(Buffer.from(content).toString("latin1"))) return [];
      const service = await parsed(driver, content, path);
      const runsGateway = service?.programArguments.includes("gateway") === true;
      if (known.mustRunGateway === true && !runsGateway) return [];
      return [
        {
          kind: known.kind,
          supervisor,
          label,
          path,
          scope,
          recommendation: scope === "system" ? ("report" as const) : known.recommendation,
          reason: known.reason,
          secrets:
            service === undefined ? [] : findSecrets(service.programArguments, service.environment),
          service,
        },
      ];
    }),
  );
  return found.flat();
}

/** Tasks have no files of their own; their content is what the Task Scheduler exports. */
async function findTasks({ run }: Machine): Promise<Leftover[]> {
  const list = await run("schtasks", ["/Query", "/FO", "CSV", "/NH"], {
    timeoutMs: QUERY_TIMEOUT_MS,
  });
  if (list.code !== 0) return [];
  const names = list.stdout
    .split(/\r?\n/u)
    .flatMap((line) => /^"\\?([^"\\]+)"/u.exec(line)?.[1] ?? []);
  const found: Leftover[] = [];
  for (const label of new Set(names)) {
    const known = knownLeftover("schtasks", label);
    if (known === undefined) continue;
    // Few have such a name, and schtasks is slow enough once.
    // oxlint-disable-next-line no-await-in-loop
    const content = await run("schtasks", ["/Query", "/TN", label, "/XML"], {
      timeoutMs: QUERY_TIMEOUT_MS,
    });
    if (content.code !== 0 || !hasMarker(content.stdout)) continue;
    const { kind, recommendation, reason } = known;
    found.push({
      kind,
      supervisor: "schtasks",
      label,
      path: label,
      scope: "user",
      recommendation,
      reason,
      secrets: [],
    });
  }
  return found;
}

async function parsed(
  driver: SupervisorDriver,
  content: Uint8Array,
  path: string,
): Promise<ParsedService | undefined> {
  try {
    return await driver.parse(content, path);
  } catch (error) {
    if (error instanceof ServiceError) return undefined;
    throw error;
  }
}

function systemFolders(supervisor: "launchd" | "systemd", systemRoot: string): string[] {
  const folders =
    supervisor === "launchd"
      ? ["/Library/LaunchAgents", "/Library/LaunchDaemons"]
      : ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
  return folders.map((folder) => `${systemRoot}${folder}`);
}

/** On most systems `/lib` is a link to `/usr/lib`. */
async function distinct(folders: readonly Folder[]): Promise<Folder[]> {
  const byPath = new Map<string, Folder>();
  for (const entry of folders) {
    // oxlint-disable-next-line no-await-in-loop
    const path = await realpath(entry.folder).catch(() => undefined);
    if (path !== undefined && !byPath.has(path)) byPath.set(path, entry);
  }
  return [...byPath.values()];
}

async function filesIn(folder: string): Promise<string[]> {
  // A folder that may not be read has nothing that could be shown.
  const files: string[] = await readdir(folder).catch(() => []);
  return files.toSorted();
}
