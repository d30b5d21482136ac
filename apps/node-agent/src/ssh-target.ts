import { resolve } from "node:path";
import {
  ConfigError,
  parseSshAddress,
  resolveGatewayPort,
  sshGatewayAddress,
  type SshRoute,
} from "@openclaw/config";
import type { SavedSsh } from "./node-file.ts";
import type { NodeRunFlags, NodeTarget, NodeTargetInput } from "./node-target.ts";

/** The way over SSH, with what only flags say. */
export interface NodeRoute extends SshRoute {
  readonly hostKeyFingerprint: string | undefined;
  readonly knownHosts: string | undefined;
}

/** What is of no use without an SSH server. */
const SSH_FLAGS = [
  ["remotePort", "--remote-port"],
  ["sshIdentity", "--ssh-identity"],
  ["sshHostKey", "--ssh-host-key"],
  ["sshKnownHosts", "--ssh-known-hosts"],
  ["acceptNew", "--accept-new"],
] as const;

/** What says where to dial, and so nothing beside `--ssh`, which dials through the connection. */
const DIAL_FLAGS = [
  ["url", "--url"],
  ["host", "--host"],
  ["port", "--port"],
  ["tls", "--tls"],
] as const;

/** @throws {ConfigError} when `--ssh` stands beside another address */
export function refuseDialFlags(flags: NodeRunFlags): void {
  const other = DIAL_FLAGS.find(([key]) => isSet(flags, key));
  if (other === undefined) return;
  throw new ConfigError("URL_AND_PORT", `--ssh cannot be combined with ${other[1]}.`, {
    hint: "The port of the Gateway over there is --remote-port.",
  });
}

/** @throws {ConfigError} when a flag says how to go over SSH to what is dialled directly */
export function refuseSshFlags(
  flags: NodeRunFlags,
  { url, urlSource }: Pick<NodeTarget, "url" | "urlSource">,
): void {
  const unused = SSH_FLAGS.find(([key]) => isSet(flags, key));
  if (unused === undefined) return;
  throw new ConfigError(
    "INVALID_SSH_TARGET",
    `${unused[1]} is for a Gateway behind SSH, and ${url} (${urlSource}) is not.`,
    { hint: "Name the SSH server: --ssh me@box" },
  );
}

/** What the flags say of a way that was named elsewhere. */
export function routeFlags({ flags, cwd }: NodeTargetInput) {
  return {
    ...(flags.sshIdentity === undefined ? {} : { identity: absolute(flags.sshIdentity, cwd) }),
    ...(flags.acceptNew === true ? { hostKeyPolicy: "accept-new" as const } : {}),
    hostKeyFingerprint: flags.sshHostKey,
    knownHosts: absolute(flags.sshKnownHosts, cwd),
  };
}

/** The Gateway behind an SSH server; what the flags leave open is as it was kept. */
export function throughSsh(kept: SavedSsh, urlSource: string, input: NodeTargetInput): NodeTarget {
  const { flags } = input;
  const own = routeFlags(input);
  const parsed = parseSshAddress(kept.target);
  if (!parsed.ok) {
    throw new ConfigError(
      "INVALID_SSH_TARGET",
      `the SSH target from ${urlSource.replace(/^cli /u, "")} ${parsed.fault}.`,
      { hint: "Write it as me@box, box:2222, or an alias of your ssh config." },
    );
  }
  const address = sshGatewayAddress(parsed.address, {
    remotePort: parsePort(flags.remotePort) ?? parsed.address.remotePort ?? kept.remotePort,
    identity: own.identity ?? kept.identity,
    hostKeyPolicy: own.hostKeyPolicy,
  });
  const route = address.via as SshRoute;
  const hostKey = own.hostKeyFingerprint ?? kept.hostKey;
  const knownHosts = own.knownHosts ?? kept.knownHosts;
  return {
    url: address.url,
    urlSource,
    // What is not of this machine's own Gateway, and not of the one in the config either.
    kind: "url-flag",
    via: { ...route, hostKeyFingerprint: hostKey, knownHosts },
    endpointKey: address.endpointKey,
    save: {
      ssh: {
        target: route.target,
        remotePort: route.remotePort,
        ...(route.identity === undefined ? {} : { identity: route.identity }),
        ...(hostKey === undefined ? {} : { hostKey }),
        ...(knownHosts === undefined ? {} : { knownHosts }),
      },
    },
  };
}

/** A path that still holds when the program is started elsewhere; `~` is left to whoever reads it. */
function absolute(path: string, cwd: string): string;
function absolute(path: string | undefined, cwd: string): string | undefined;
function absolute(path: string | undefined, cwd: string): string | undefined {
  return path === undefined || path.startsWith("~") ? path : resolve(cwd, path);
}

export function parsePort(text: string | undefined): number | undefined {
  return text === undefined
    ? undefined
    : resolveGatewayPort({ flag: text, env: {}, config: {} }).port;
}

function isSet(flags: NodeRunFlags, key: keyof NodeRunFlags): boolean {
  return flags[key] !== undefined && flags[key] !== false;
}
