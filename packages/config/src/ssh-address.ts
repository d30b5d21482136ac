import { isIPv6 } from "node:net";

/** An SSH server as a user named it; what ssh_config adds is the tunnel's business. */
export interface SshAddress {
  /** A host name, an address or an alias of ssh_config. IPv6 without brackets. */
  readonly host: string;
  readonly user?: string;
  /** Unset means what ssh_config says, else 22. */
  readonly port?: number;
  /** Port on the far side, from the path of an `ssh://` URL. */
  readonly remotePort?: number;
}

/** An address, or what is wrong with the text, as the end of a sentence about it. */
export type ParsedSshAddress = { ok: true; address: SshAddress } | { ok: false; fault: string };

/** For hints: every form that is understood. */
export const SSH_ADDRESS_FORMS =
  "me@box, box:2222, ssh://me@box:2222/18789, or an ssh_config alias";

/**
 * Reads `[ssh ][user@]host[:port]`, an alias of ssh_config, or
 * `ssh://[user@]host[:port][/remoteport]`.
 *
 * What a program could take for an option, for a second word or for a `%` token is refused: an
 * address ends up in the argument list of `ssh`.
 */
export function parseSshAddress(text: string): ParsedSshAddress {
  const trimmed = text.trim().replace(/^ssh[ \t]+/u, "");
  const isUrl = hasSshScheme(trimmed);
  const rest = isUrl ? trimmed.slice("ssh://".length) : trimmed;
  const slash = isUrl ? rest.indexOf("/") : -1;
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? "" : rest.slice(slash + 1).replace(/\/$/u, "");
  const at = authority.indexOf("@");
  const user = authority.slice(0, Math.max(0, at));
  const split = splitPort(authority.slice(at + 1));
  if (split === undefined) return { ok: false, fault: "has no host and port that fit together" };
  const { host, port } = split;
  const fault = faultOf(user, host);
  if (fault !== undefined) return { ok: false, fault };
  for (const number of [port, path === "" ? undefined : path]) {
    if (number !== undefined && portOf(number) === undefined) {
      return { ok: false, fault: "has a port that is no integer from 1 to 65535" };
    }
  }
  return {
    ok: true,
    address: {
      host,
      ...(user === "" ? {} : { user }),
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(path === "" ? {} : { remotePort: Number(path) }),
    },
  };
}

export function hasSshScheme(text: string): boolean {
  return /^\s*ssh:\/\//iu.test(text);
}

/** The address as `[user@]host[:port]`; without a port where none was named, so that an alias keeps its own. */
export function formatSshAddress(address: SshAddress): string {
  const { user, host, port } = address;
  // Brackets would be part of the name where no port follows them.
  return port === undefined
    ? `${user === undefined ? "" : `${user}@`}${host}`
    : authorityOf(address);
}

/**
 * What the tokens of a Gateway behind SSH are kept under: `ssh://me@box:2222/18789`. A port that was
 * not named stays out of it, since ssh_config may lead `box` and `box:22` to different machines.
 */
export function sshEndpointKey(address: SshAddress, remotePort: number): string {
  return `ssh://${authorityOf(address)}/${remotePort}`;
}

function authorityOf({ user, host, port }: SshAddress): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
}

function splitPort(rest: string): { host: string; port?: string } | undefined {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/u.exec(rest);
  if (bracketed !== null) {
    const [, host = "", port] = bracketed;
    if (!isIPv6(host)) return undefined;
    return port === undefined ? { host } : { host, port };
  }
  // Several colons without brackets are an address: no name has one.
  if (isIPv6(rest)) return { host: rest };
  const colon = rest.lastIndexOf(":");
  if (colon === -1) return { host: rest };
  const host = rest.slice(0, colon);
  return host.includes(":") ? undefined : { host, port: rest.slice(colon + 1) };
}

function faultOf(user: string, host: string): string | undefined {
  if (host === "") return "names no host";
  if (user.includes(":")) return "holds a password";
  for (const [what, value] of [["user", user] as const, ["host", host] as const]) {
    if (value.startsWith("-")) return `has a ${what} that begins with "-"`;
    if (/[\s\p{C}]/u.test(value)) return `has white space or a control character in its ${what}`;
    // The zone of a link-local address is the one place where "%" is no token of ssh_config.
    if (value.includes("%") && !(what === "host" && isIPv6(value))) {
      return `has a "%" in its ${what}`;
    }
  }
  return /[@/\\'"`$;&|<>(){}*?!,#]/u.test(host) ? "has a host that is no name" : undefined;
}

function portOf(text: string): number | undefined {
  const value = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  return value >= 1 && value <= 65_535 ? value : undefined;
}
