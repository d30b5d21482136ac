import type { ServiceRuntime } from "@openclaw/service";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { type ServiceFacts, factsOf } from "../service/service-answer.ts";
import { readFailure, readRecords } from "./record-files.ts";
import type { FailureRecord, TunnelRecord } from "./tunnel-record.ts";
import { type InstalledTunnel, installedTunnels } from "./tunnel-service.ts";

/** A tunnel that runs, is installed as a service, or both. */
export interface KnownTunnel {
  readonly name: string;
  readonly target: string | undefined;
  /** Undefined when it does not run. */
  readonly record: TunnelRecord | undefined;
  /** Undefined when it is not installed. */
  readonly service: InstalledTunnel | undefined;
  /** Why the service gave up the last time. */
  readonly failure: FailureRecord | undefined;
}

export interface FoundTunnels {
  readonly tunnels: readonly KnownTunnel[];
  /** Names of tunnels whose process was killed, and whose records were removed now. */
  readonly removed: readonly string[];
}

/** Every tunnel of this profile, by name. What dead processes have left is cleaned away. */
export async function findTunnels(context: CommandContext): Promise<FoundTunnels> {
  const { stateDir } = context.paths;
  const [{ running, removed }, installed] = await Promise.all([
    readRecords(stateDir),
    installedTunnels(context),
  ]);
  const names = [...running, ...installed].map(({ name }) => name);
  const tunnels = [...new Set(names)].toSorted().map((name): KnownTunnel => {
    const record = running.find((one) => one.name === name);
    const service = installed.find((one) => one.name === name);
    return {
      name,
      target: record?.target ?? service?.target,
      record,
      service,
      failure: record === undefined ? readFailure(stateDir, name) : undefined,
    };
  });
  if (removed.length > 0 && !context.json) {
    context.say(`Cleaned up after a tunnel that was killed: ${removed.join(", ")}`);
  }
  return { tunnels, removed };
}

/** @throws {CliError} `cli_error` when there is none of that name */
export function pickTunnel(
  context: CommandContext,
  tunnels: readonly KnownTunnel[],
  name: string,
): KnownTunnel {
  const found = tunnels.find((tunnel) => tunnel.name === name);
  if (found !== undefined) return found;
  const known = tunnels.map((tunnel) => tunnel.name).join(", ");
  throw new CliError("cli_error", `there is no tunnel ${name}.`, {
    hints: [
      known === "" ? "None runs, and none is installed." : `There are: ${known}`,
      `Open one: ${context.commandLine("tunnel open <target>")}`,
    ],
    fields: { kind: "not_found" },
  });
}

/** A tunnel as `--json` has it. */
export interface TunnelDocument {
  readonly name: string;
  readonly target: string | null;
  readonly running: boolean;
  readonly service: (ServiceFacts & { path: string; runtime: ServiceRuntime }) | null;
  readonly lastFailure?: Omit<FailureRecord, "version" | "name">;
}

export function tunnelDocument(tunnel: KnownTunnel): TunnelDocument {
  const { name, target = null, record, service, failure } = tunnel;
  return {
    ...(record === undefined ? {} : factsOfRecord(record)),
    name,
    target,
    running: record !== undefined,
    service:
      service === undefined
        ? null
        : {
            ...factsOf(service.status),
            path: service.status.command?.sourcePath ?? "",
            runtime: service.status.runtime,
          },
    ...(failure === undefined
      ? {}
      : { lastFailure: { target: failure.target, at: failure.at, cause: failure.cause } }),
  };
}

function factsOfRecord(record: TunnelRecord): object {
  const {
    version: _version,
    name: _name,
    target: _target,
    startTime: _startTime,
    ...facts
  } = record;
  return facts;
}
