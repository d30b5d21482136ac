import { isIP, isIPv6 } from "node:net";
import type { PortHolder } from "../errors.ts";
import { showableCommandLine } from "./describe-holder.ts";
import { listenersFromLsof, listenersFromNetstat } from "./holder-by-program.ts";
import { holderKind } from "./holder-kind.ts";
import { listenersFromProc } from "./holder-on-linux.ts";
import type { Listening } from "./listening.ts";

export interface FindPortHolderOptions {
  /** The address that is wanted: holders of another one are passed over. @default any */
  readonly host?: string | undefined;
  /** Processes that are known to be tunnels of ours. */
  readonly ownTunnels?: ReadonlySet<number> | undefined;
  /** Says whether a process is what an earlier run of ours left behind. */
  readonly isOwnOrphan?:
    | ((pid: number, argv: readonly string[]) => boolean | Promise<boolean>)
    | undefined;
  /** @default process.platform */
  readonly platform?: NodeJS.Platform | undefined;
}

/**
 * Who listens on a TCP port of this machine; undefined when nobody seems to. It only looks: nothing
 * is ever ended here. Never rejects, since it explains a failure and must not become one.
 */
export async function findPortHolder(
  port: number,
  options: FindPortHolderOptions = {},
): Promise<PortHolder | undefined> {
  const { host, platform = process.platform } = options;
  const found = await listeners(port, platform).catch(() => []);
  const candidates = found.filter(({ address }) => isInTheWay(address, host));
  const best = candidates.find(({ pid }) => pid !== undefined) ?? candidates[0];
  return best && toHolder(best, options);
}

function listeners(port: number, platform: NodeJS.Platform): Promise<Listening[]> {
  if (platform === "linux") return listenersFromProc(port);
  return platform === "win32" ? listenersFromNetstat(port) : listenersFromLsof(port);
}

async function toHolder(
  { pid, program, argv = [] }: Listening,
  { ownTunnels, isOwnOrphan }: FindPortHolderOptions,
): Promise<PortHolder> {
  return {
    kind: await kindOf(),
    ...(pid === undefined ? {} : { pid }),
    ...(program === undefined ? {} : { program }),
    ...(argv.length === 0 ? {} : { commandLine: showableCommandLine(argv) }),
  };

  async function kindOf(): Promise<PortHolder["kind"]> {
    if (pid === undefined) return "unknown";
    if (pid === process.pid || ownTunnels?.has(pid)) return "own-tunnel";
    const isOrphan = Promise.resolve(isOwnOrphan?.(pid, argv)).catch(() => false);
    if (await isOrphan) return "own-orphan";
    return holderKind(program, argv);
  }
}

/** Whether a listener on `address` keeps another from listening on `host`. */
function isInTheWay(address: string, host: string | undefined): boolean {
  if (host === undefined || isEvery(host) || isEvery(address) || isIP(host) === 0) return true;
  return normal(address) === normal(host);
}

function isEvery(address: string): boolean {
  return address === "*" || address === "0.0.0.0" || address === "::";
}

function normal(address: string): string {
  if (!isIPv6(address) || address.includes("%")) return address;
  return new URL(`http://[${address}]`).hostname;
}
