import { readdir } from "node:fs/promises";
import type { ServiceRef } from "../definition/service-definition.ts";
import { serviceNames, type ServiceKind, type ServiceNames } from "../definition/service-names.ts";
import type { ParsedService, Supervisor } from "../definition/parsed-service.ts";
import { ServiceError } from "../errors.ts";
import { readDefinition } from "./definition-file.ts";
import type { SupervisorDriver } from "./supervisor.ts";

/** File names of this package's definitions. */
const FILES: Readonly<Record<Supervisor, RegExp>> = {
  launchd: /^(ai\.openclaw\..+)\.plist$/u,
  systemd: /^(openclaw-.+\.service)$/u,
  schtasks: /^((?:gateway|node|ssh-tunnel)[\w-]*\.cmd)$/iu,
};

/**
 * The services of a kind that have a definition, whichever profile they belong to. On Windows those
 * of the one state directory.
 *
 * What a service is stands in its environment; names alone would take a tutorial's file for ours.
 */
export async function listServices(
  driver: SupervisorDriver,
  kind: ServiceKind,
): Promise<ServiceRef[]> {
  const files = (await filesIn(driver.directory)).flatMap((file) => {
    const [, base] = FILES[driver.supervisor].exec(file) ?? [];
    return base === undefined ? [] : [{ file, base }];
  });
  const found = await Promise.all(
    files.map(async ({ file, base }) => {
      const path = `${driver.directory}/${file}`;
      const content = await readDefinition(path);
      if (content === undefined) return [];
      const service = await driver.parse(content, path).catch((error: unknown) => {
        if (error instanceof ServiceError) return undefined;
        throw error;
      });
      const ref = service && refOf(driver.supervisor, kind, base, service);
      return ref === undefined ? [] : [ref];
    }),
  );
  return found.flat();
}

function refOf(
  supervisor: Supervisor,
  kind: ServiceKind,
  base: string,
  { environment }: ParsedService,
): ServiceRef | undefined {
  if (environment["OPENCLAW_SERVICE_KIND"] !== kind) return undefined;
  const profile = environment["OPENCLAW_PROFILE"];
  const name = kind === "tunnel" ? environment["OPENCLAW_SERVICE_NAME"] : undefined;
  try {
    const usual = serviceNames(kind, profile, name);
    const names = named(supervisor, usual, base, environment["OPENCLAW_WINDOWS_TASK_NAME"]);
    return { kind, profile, name, ...(names === usual ? {} : { names }) };
  } catch (error) {
    // A profile that nobody could have chosen: not one of ours after all.
    if (error instanceof ServiceError) return undefined;
    throw error;
  }
}

/** The file's own name counts, where it is another than the usual. */
function named(
  supervisor: Supervisor,
  usual: ServiceNames,
  base: string,
  task: string | undefined,
): ServiceNames {
  const key = (
    { launchd: "launchdLabel", systemd: "systemdUnit", schtasks: "scriptName" } as const
  )[supervisor];
  if (usual[key] === base) return usual;
  // A script does not say which task runs it, but for this variable.
  return { ...usual, [key]: base, ...(task === undefined ? {} : { windowsTask: task }) };
}

async function filesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
