import { readdirSync } from "node:fs";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { basename, join } from "node:path";
import { describeHolder, findPortHolders, type PortHolder } from "@openclaw/gateway/port-holder";
import { type GatewayInstance, isAlive, readInstance } from "@openclaw/gateway/instance-file";
import { isLoopbackHost } from "@openclaw/config";
import type { CommandContext } from "../../program/command-context.ts";
import type { Carrier } from "./carrier.ts";

/** A Gateway of this user that runs on this machine. */
export interface LocalGateway extends Pick<GatewayInstance, "pid" | "port" | "url"> {
  readonly stateDir: string;
}

/** A state directory in the home, as profiles have them. */
const STATE_DIRECTORY = /^\.openclaw(-[a-z0-9][a-z0-9_-]*)?$/iu;

/** The Gateways that run now, that of this profile first. */
export function findLocalGateways({ paths }: Pick<CommandContext, "paths">): LocalGateway[] {
  let names: string[] = [];
  try {
    names = readdirSync(paths.home);
  } catch {
    // A home that cannot be listed has no other profiles.
  }
  const others = names
    .filter((name) => STATE_DIRECTORY.test(name))
    .map((name) => join(paths.home, name));
  return [...new Set([paths.stateDir, ...others])].flatMap((stateDir) => {
    const instance = readInstance(stateDir);
    if (instance === undefined || !isAlive(instance.pid)) return [];
    const { pid, port, url } = instance;
    return [{ stateDir, pid, port, url }];
  });
}

/** Interfaces as `os.networkInterfaces()` has them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Whether an address is one of this machine's, and not loopback. */
export function isOwnAddress(
  address: string,
  interfaces: Interfaces = networkInterfaces(),
): boolean {
  return Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    .some((info) => !info.internal && info.address === address);
}

/** Who listens on a port of this machine, for people; empty where the system does not tell. */
export async function describeHolders(port: number): Promise<string[]> {
  return (await findPortHolders(port)).map(describeHolder);
}

/** The same for where a carrier leads; undefined where that is no port of this machine, or nobody is found. */
export async function describeLocalHolders({
  host,
  port,
  kind,
}: Carrier): Promise<string[] | undefined> {
  if (kind !== "network" || !isLoopbackHost(host)) return undefined;
  const holders = await describeHolders(port);
  return holders.length === 0 ? undefined : holders;
}

/** An ssh that holds the port. */
export async function findSshHolder(port: number): Promise<PortHolder | undefined> {
  return (await findPortHolders(port)).find(isSsh);
}

/** By its program alone: its arguments may name anything, a Gateway too. */
function isSsh({ command = "", commandLine = "" }: PortHolder): boolean {
  const [program = ""] = commandLine.split(" ");
  return [command, basename(program)].some((name) => /^(auto)?ssh(\.exe)?$/u.test(name));
}
