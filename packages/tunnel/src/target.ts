import { isIPv6 } from "node:net";
import { TunnelError } from "./errors.ts";

/** Where an SSH connection goes, as a user named it; what ssh_config adds is in `SshSettings`. */
export interface SshTarget {
  /** A host name, an address or an alias of ssh_config. IPv6 without brackets. */
  readonly host: string;
  /** Unset means what ssh_config says, else the name of the local user. */
  readonly user?: string;
  /** Port of the SSH server. Unset means what ssh_config says, else 22. */
  readonly port?: number;
  /** Port on the far side that the path of an `ssh://` URL names. */
  readonly remotePort?: number;
}

/**
 * Reads `[ssh ][user@]host[:port]`, `[user@][v6::address][:port]`, an alias, or
 * `ssh://[user@]host[:port][/remoteport]`.
 *
 * Everything that a program could take for an option, for another word or for a `%` token is
 * refused, so that a target is safe in an argument list.
 *
 * @throws {@link TunnelError} `INVALID_TARGET`
 */
export function parseSshTarget(text: string): SshTarget {
  const trimmed = text.trim().replace(/^ssh[ \t]+/u, "");
  if (/^ssh:\/\//iu.test(trimmed)) return parseUrl(trimmed, text);
  return parseAuthority(trimmed, text);
}

/** Whether a text is meant as an `ssh://` URL; it may still be malformed. */
export function isSshUrl(text: string): boolean {
  return /^\s*ssh:\/\//iu.test(text);
}

/** The target as `[user@]host[:port]`, IPv6 in brackets where a port follows. */
export function formatSshTarget({ user, host, port }: SshTarget): string {
  const name = port !== undefined && host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
}

/** The target as a URL that {@link parseSshTarget} reads back. */
export function formatSshUrl({ user, host, port, remotePort }: SshTarget): string {
  const name = host.includes(":") ? `[${host}]` : host;
  const authority = `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
  return `ssh://${authority}${remotePort === undefined ? "" : `/${remotePort}`}`;
}

function parseUrl(url: string, text: string): SshTarget {
  const [authority = "", ...path] = url.slice("ssh://".length).split("/");
  const rest = path.join("/");
  if (/[?#]/u.test(url)) throw invalid(text, "has a query or a fragment");
  const target = parseAuthority(authority, text);
  if (rest === "") return target;
  return { ...target, remotePort: parsePort(rest.replace(/\/$/u, ""), text) };
}

function parseAuthority(authority: string, text: string): SshTarget {
  const at = authority.indexOf("@");
  const user = at === -1 ? "" : authority.slice(0, at);
  const { host, port } = splitPort(authority.slice(at + 1), text);
  if (user.includes(":")) throw invalid(text, "holds a password");
  assertSafe("user", user, text);
  assertSafe("host", host, text);
  if (host === "") throw invalid(text, "names no host");
  if (/[@/\\'"`$;&|<>(){}[\]*?!,#]/u.test(host)) throw invalid(text, "has a host that is no name");
  // They would end the user in the URL that the target is shown and stored as.
  if (/[/?#]/u.test(user)) throw invalid(text, 'has "/", "?" or "#" in its user');
  return {
    host,
    ...(user === "" ? {} : { user }),
    ...(port === undefined ? {} : { port: parsePort(port, text) }),
  };
}

function splitPort(rest: string, text: string): { host: string; port?: string } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/u.exec(rest);
  if (bracketed) {
    const [, host = "", port] = bracketed;
    if (!isIPv6(host)) throw invalid(text, "has brackets around what is no IPv6 address");
    return port === undefined ? { host } : { host, port };
  }
  // Several colons without brackets: an address, since a host name has none.
  if (isIPv6(rest)) return { host: rest };
  const colon = rest.lastIndexOf(":");
  if (colon === -1) return { host: rest };
  const host = rest.slice(0, colon);
  if (host.includes(":")) throw invalid(text, "has more than one port");
  return { host, port: rest.slice(colon + 1) };
}

function parsePort(port: string, text: string): number {
  const value = /^\d{1,5}$/u.test(port) ? Number(port) : 0;
  if (value < 1 || value > 65_535)
    throw invalid(text, `has the port "${visible(port)}"; 1 to 65535 are ports`);
  return value;
}

function assertSafe(what: string, value: string, text: string): void {
  if (value.startsWith("-")) throw invalid(text, `has a ${what} that begins with "-"`);
  // A zone (fe80::1%eth0) is the one place where "%" means no token of ssh_config.
  if (value.includes("%") && !(what === "host" && isIPv6(value))) {
    throw invalid(text, `has a "%" in its ${what}`);
  }
  if (/[\s\p{C}]/u.test(value)) {
    throw invalid(text, `has white space or a control character in its ${what}`);
  }
}

function invalid(text: string, fault: string): TunnelError {
  return new TunnelError("INVALID_TARGET", `the SSH target "${visible(text)}" ${fault}.`, {
    hint: "Write it as user@host, user@host:port, ssh://user@host/18789, or an alias of your ssh config.",
  });
}

/** For a message: no control characters, not endless, and no password. */
function visible(text: string): string {
  const safe = text.replace(/[\p{C}]/gu, "\u{FFFD}").replace(/:[^@/]*@/u, ":…@");
  return safe.length > 100 ? `${safe.slice(0, 100)}…` : safe;
}
