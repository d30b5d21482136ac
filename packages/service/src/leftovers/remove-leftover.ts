import { join } from "node:path";
import { serviceNames, type ServiceNames } from "../definition/service-names.ts";
import { ServiceError } from "../errors.ts";
import { commandFailure } from "../manager/command-failure.ts";
import { moveToTrash, readDefinition, removeDefinition } from "../manager/definition-file.ts";
import { type Machine, QUERY_TIMEOUT_MS, type SupervisorDriver } from "../manager/supervisor.ts";
import type { Leftover } from "./find-leftovers.ts";
import { hasMarker, knownLeftover } from "./known-leftovers.ts";

export interface RemovedLeftover {
  readonly label: string;
  readonly path: string;
  /** macOS: where the file went. */
  readonly movedTo?: string;
}

/**
 * Stops a leftover, keeps it from starting again, and removes its file: into the Trash on macOS.
 *
 * The file is looked at once more: without a known name and a marker nothing is touched.
 *
 * @throws {@link ServiceError} `NOT_A_LEFTOVER`, and those of the supervisor
 */
export async function removeLeftover(
  driver: SupervisorDriver,
  machine: Machine,
  leftover: Leftover,
): Promise<RemovedLeftover> {
  const { label, path, supervisor, scope } = leftover;
  if (scope === "system") {
    throw refusal(leftover, "is the system's, and not this user's to remove", byHand(leftover));
  }
  const known = knownLeftover(supervisor, label);
  if (known === undefined || supervisor !== driver.supervisor) {
    throw refusal(leftover, "has no name that was ever given up");
  }
  if (known.recommendation === "report") {
    throw refusal(
      leftover,
      "was set up by hand, and stays until a hand removes it",
      byHand(leftover),
    );
  }
  const names = namesOf(label);
  if (supervisor === "schtasks") {
    await assertTaskHasMarker(machine, leftover);
    await driver.deactivate(names);
    return { label, path };
  }
  const usual = join(driver.directory, supervisor === "launchd" ? `${label}.plist` : label);
  if (path !== usual) throw refusal(leftover, `is not where such files are: ${driver.directory}`);
  const content = await readDefinition(path);
  if (content === undefined || !hasMarker(Buffer.from(content).toString("latin1"))) {
    throw refusal(leftover, "has no marker of this program in it, or is gone");
  }
  await driver.deactivate(names);
  const movedTo = supervisor === "launchd" ? await moveToTrash(path, machine.home) : undefined;
  await removeDefinition(path);
  await driver.forget(names);
  return { label, path, ...(movedTo === undefined ? {} : { movedTo }) };
}

async function assertTaskHasMarker({ run }: Machine, leftover: Leftover): Promise<void> {
  const args = ["/Query", "/TN", leftover.label, "/XML"];
  const result = await run("schtasks", args, { timeoutMs: QUERY_TIMEOUT_MS });
  if (result.code !== 0) throw commandFailure(["schtasks", ...args], result);
  if (!hasMarker(result.stdout)) throw refusal(leftover, "has no marker of this program in it");
}

function namesOf(label: string): ServiceNames {
  return {
    ...serviceNames("gateway"),
    launchdLabel: label,
    systemdUnit: label,
    windowsTask: label,
  };
}

function byHand({ supervisor, label, path }: Leftover): string[] {
  const isDaemon = path.includes("LaunchDaemons");
  return [
    supervisor === "launchd"
      ? `Remove it yourself: sudo launchctl bootout ${isDaemon ? "system" : "gui/$UID"}/${label}; sudo rm ${path}`
      : `Remove it yourself: sudo systemctl disable --now ${label}; sudo rm ${path}; sudo systemctl daemon-reload`,
  ];
}

function refusal({ path }: Leftover, why: string, hints: readonly string[] = []): ServiceError {
  return new ServiceError("NOT_A_LEFTOVER", `${path} is not removed: it ${why}.`, {
    hints,
    details: { path },
  });
}
