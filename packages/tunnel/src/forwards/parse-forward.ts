import { isIPv6 } from "node:net";
import { resolve } from "node:path";
import { TunnelError } from "../errors.ts";
import type { ForwardSpec } from "./forward-spec.ts";

export const LOOPBACK_HOST = "127.0.0.1";

/** One end of a forward. On this side the host `*` means every address of the machine. */
export type ForwardEndpoint =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** A {@link ForwardSpec} that was checked, with its defaults filled in. */
export interface ResolvedForward {
  readonly local: ForwardEndpoint;
  readonly remote: ForwardEndpoint;
}

export interface ParseForwardOptions {
  /** Takes `*`, an empty bind address and their like, which open the far side to your network. @default false */
  readonly allowWideBind?: boolean;
}

/**
 * Reads a forward as `ssh -L` takes it: `[bind:]port:host:hostport`, `[bind:]port:/remote/socket`,
 * `/local/socket:host:hostport`, `/local/socket:/remote/socket`; IPv6 in brackets, `\` before a colon
 * that belongs to a path. A port alone means the same port on 127.0.0.1 of both sides. The local port
 * 0 is any free one.
 *
 * @throws {@link TunnelError} `INVALID_OPTION`
 */
export function parseForward(
  text: string,
  { allowWideBind = false }: ParseForwardOptions = {},
): ForwardSpec {
  const fields = splitFields(text);
  const [only] = fields;
  const spec =
    only !== undefined && fields.length === 1
      ? { localPort: readPort(only, 1, text), remotePort: readPort(only, 1, text) }
      : readFields(fields, text);
  if (isWide(spec.localHost) && !allowWideBind) {
    throw invalid(text, "would listen on every address of this machine", {
      hint: "Leave the bind address out to listen on 127.0.0.1, or name the one address you mean.",
    });
  }
  check(spec, text);
  return spec;
}

/** The forward as {@link parseForward} reads it, and `ssh -L` too unless its local port is 0. */
export function formatForward(spec: ForwardSpec): string {
  const { localHost, localPath, localPort = 0, remoteHost, remotePath, remotePort } = spec;
  const bind = localHost === undefined ? "" : `${bracketed(localHost)}:`;
  const local = localPath === undefined ? `${bind}${localPort}` : escaped(localPath);
  const remote =
    remotePath === undefined
      ? `${bracketed(remoteHost ?? LOOPBACK_HOST)}:${remotePort ?? 0}`
      : escaped(remotePath);
  return `${local}:${remote}`;
}

/**
 * Checks a forward and fills in its defaults.
 *
 * @throws {@link TunnelError} `INVALID_OPTION`
 */
export function resolveForward(spec: ForwardSpec): ResolvedForward {
  return check(spec, formatForward(spec));
}

/** `text` is what the forward is called in a message. */
function check(spec: ForwardSpec, text: string): ResolvedForward {
  return { local: checkLocal(spec, text), remote: checkRemote(spec, text) };
}

function checkLocal({ localHost, localPath, localPort }: ForwardSpec, text: string) {
  if (localPath === undefined) {
    const host = localHost ?? LOOPBACK_HOST;
    checkHost(host, text);
    return { host, port: checkPort(localPort ?? 0, 0, text) };
  }
  if (localHost !== undefined || localPort !== undefined) {
    throw invalid(text, "listens on a socket and on a port");
  }
  checkPath(localPath, text);
  const path = resolve(localPath);
  // Longer ones do not fit into the address of a socket, and some systems cut them off in silence.
  const longest = process.platform === "linux" ? 107 : 103;
  if (Buffer.byteLength(path) > longest) {
    throw invalid(text, `has a socket path of more than ${longest} bytes`);
  }
  return { path };
}

function checkRemote({ remoteHost, remotePath, remotePort }: ForwardSpec, text: string) {
  if (remotePath === undefined) {
    if (remotePort === undefined) throw invalid(text, "names no remote port");
    const host = remoteHost ?? LOOPBACK_HOST;
    checkHost(host, text);
    if (host === "*") throw invalid(text, 'has "*" for the remote host');
    return { host, port: checkPort(remotePort, 1, text) };
  }
  if (remoteHost !== undefined || remotePort !== undefined) {
    throw invalid(text, "leads to a socket and to a port");
  }
  checkPath(remotePath, text);
  // The directory it would be relative to is the SSH server's, which nobody knows.
  if (!remotePath.startsWith("/")) throw invalid(text, "has a remote socket without a full path");
  return { path: remotePath };
}

interface Field {
  readonly value: string;
  readonly isBracketed: boolean;
}

function splitFields(text: string): Field[] {
  const fields: Field[] = [];
  let rest = text;
  for (;;) {
    const [whole, address, plain = ""] =
      /^(?:\[([^\]]*)\]|(?!\[)((?:\\.|[^\\:])*))(?=:|$)/su.exec(rest) ?? [];
    if (whole === undefined) throw invalid(text, 'has a stray "[" or "\\"');
    if (address !== undefined && !isIPv6(address)) {
      throw invalid(text, "has brackets around what is no IPv6 address");
    }
    fields.push({
      value: address ?? plain.replace(/\\(.)/gsu, "$1"),
      isBracketed: address !== undefined,
    });
    if (whole.length === rest.length) return fields;
    rest = rest.slice(whole.length + 1);
  }
}

function readFields(fields: readonly Field[], text: string): ForwardSpec {
  const last = fields.at(-1);
  const before = fields.at(-2);
  if (last === undefined || before === undefined) throw invalid(text, "has too few parts");
  const leadsToPath = isPath(last);
  const remote = leadsToPath
    ? { remotePath: last.value }
    : { remoteHost: before.value, remotePort: readPort(last, 1, text) };
  const [first, second, ...more] = fields.slice(0, leadsToPath ? -1 : -2);
  if (first === undefined) throw invalid(text, "names no local port");
  if (more.length > 0) throw invalid(text, "has too many parts");
  if (second !== undefined) {
    const localHost = first.value === "" ? "*" : first.value;
    return { localHost, localPort: readPort(second, 0, text), ...remote };
  }
  if (isPath(first)) return { localPath: first.value, ...remote };
  return { localPort: readPort(first, 0, text), ...remote };
}

function isPath({ value, isBracketed }: Field): boolean {
  return !isBracketed && value.includes("/");
}

function readPort({ value }: Field, least: number, text: string): number {
  if (!/^\d{1,5}$/u.test(value)) throw invalid(text, `has the port "${visible(value)}"`);
  return checkPort(Number(value), least, text);
}

function checkPort(port: number, least: number, text: string): number {
  if (Number.isInteger(port) && port >= least && port <= 65_535) return port;
  throw invalid(text, `has the port "${port}"; ${least} to 65535 can be used`);
}

function checkHost(host: string, text: string): void {
  if (host === "") throw invalid(text, "has an empty host");
  if (host.startsWith("-")) throw invalid(text, 'has a host that begins with "-"');
  if (isIPv6(host) || host === "*") return;
  // A program could take these for another word, for a pattern or for a token of its own.
  if (/[\s\p{C}%/\\[\]:'"`$;&|<>(){}*?!,@#]/u.test(host)) {
    throw invalid(text, "has a host that is neither a name nor an address");
  }
}

function checkPath(path: string, text: string): void {
  if (path === "") throw invalid(text, "has an empty socket path");
  if (/\p{Cc}/u.test(path)) throw invalid(text, "has a control character in a socket path");
}

/** Every spelling of "all addresses" that a system's resolver takes. */
function isWide(host: string | undefined): boolean {
  return host !== undefined && /^(?:\*|[0.:]+|[0:]*:ffff:[0.:]+|0x0+)$/iu.test(host);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function escaped(path: string): string {
  const named = path.includes("/") ? path : `./${path}`;
  return named.replace(/[\\:[\]]/gu, String.raw`\$&`);
}

function invalid(text: string, fault: string, { hint = FORMS }: { hint?: string } = {}) {
  return new TunnelError("INVALID_OPTION", `the forward "${visible(text)}" ${fault}.`, { hint });
}

const FORMS =
  "Write it as port, port:host:hostport, bind:port:host:hostport, or with a socket's full path instead of a port.";

function visible(text: string): string {
  const safe = text.replace(/\p{C}/gu, "\u{FFFD}");
  return safe.length > 120 ? `${safe.slice(0, 120)}…` : safe;
}
