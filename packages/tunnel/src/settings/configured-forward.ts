import type { ConfiguredForward } from "./ssh-settings.ts";

/**
 * Reads one `localforward` line of `ssh -G`: `[host]:port` or a path, twice. Paths are printed
 * without quotes, so white space in them is told from what separates the two by the next `/`.
 */
export function parsePrintedForward(text: string): ConfiguredForward | undefined {
  const network = /^(.+) \[([^\]]*)\]:(\d+)$/u.exec(text);
  if (network) {
    const [, listen = "", remoteHost = "", remotePort] = network;
    const local = parsePrintedListen(listen);
    return local && { ...local, remoteHost, remotePort: Number(remotePort) };
  }
  const socket = /^(.+) (\/.*)$/u.exec(text);
  if (!socket) return undefined;
  const [, listen = "", remotePath = ""] = socket;
  const local = parsePrintedListen(listen);
  return local && { ...local, remotePath };
}

function parsePrintedListen(text: string): ConfiguredForward | undefined {
  if (text.startsWith("/")) return { localPath: text };
  if (/^\d+$/u.test(text)) return { localPort: Number(text) };
  const [, host = "", port] = /^\[([^\]]*)\]:(\d+)$/u.exec(text) ?? [];
  if (port === undefined) return undefined;
  return { localHost: everyAddress(host), localPort: Number(port) };
}

/** ssh takes an empty bind address for `*`. */
function everyAddress(host: string): string {
  return host === "" ? "*" : host;
}

/** Reads the two arguments of `LocalForward` in a file; undefined when they are malformed. */
export function parseForwardArguments(
  listen: string,
  connect: string,
  readPort: (text: string) => number | undefined,
): ConfiguredForward | undefined {
  const withPorts = (forward: WrittenForward): ConfiguredForward | undefined =>
    readPorts(forward, readPort);
  const fields = splitFields(`${listen}:${connect}`);
  if (fields === undefined) return undefined;
  const [a, b, c, d] = fields;
  if (a === undefined || b === undefined) return undefined;
  if (fields.length === 2) {
    if (!isPath(b)) return undefined;
    if (isPath(a)) return { localPath: a.text, remotePath: b.text };
    return withPorts({ localPort: a.text, remotePath: b.text });
  }
  if (c === undefined) return undefined;
  if (fields.length === 3) {
    if (isPath(a)) {
      return withPorts({ localPath: a.text, remoteHost: b.text, remotePort: c.text });
    }
    if (isPath(c)) {
      return withPorts({ localHost: a.text, localPort: b.text, remotePath: c.text });
    }
    return withPorts({ localPort: a.text, remoteHost: b.text, remotePort: c.text });
  }
  if (fields.length !== 4 || d === undefined) return undefined;
  return withPorts({
    localHost: a.text,
    localPort: b.text,
    remoteHost: c.text,
    remotePort: d.text,
  });
}

interface Field {
  readonly text: string;
  readonly hasSlash: boolean;
}

function isPath(field: Field): boolean {
  return field.hasSlash;
}

/** At colons; brackets hold them together, a backslash takes the next character as it is. */
function splitFields(text: string): readonly Field[] | undefined {
  const fields: Field[] = [];
  let rest = text;
  for (;;) {
    const field = rest.startsWith("[")
      ? /^\[([^\]]*)\](?::|$)/u.exec(rest)
      : /^((?:\\.|[^\\:])*)(?::|$)/u.exec(rest);
    if (!field) return undefined;
    const [whole, raw = ""] = field;
    const value = rest.startsWith("[") ? raw : raw.replace(/\\(.)/gu, "$1");
    fields.push({ text: value, hasSlash: value.includes("/") });
    rest = rest.slice(whole.length);
    if (rest === "") return fields;
  }
}

interface WrittenForward {
  readonly localHost?: string;
  readonly localPort?: string;
  readonly localPath?: string;
  readonly remoteHost?: string;
  readonly remotePort?: string;
  readonly remotePath?: string;
}

function readPorts(
  written: WrittenForward,
  readPort: (text: string) => number | undefined,
): ConfiguredForward | undefined {
  const { localHost, ...rest } = written;
  const localPort = written.localPort === undefined ? undefined : readPort(written.localPort);
  const remotePort = written.remotePort === undefined ? undefined : readPort(written.remotePort);
  if (written.localPort !== undefined && localPort === undefined) return undefined;
  if (written.remotePort !== undefined && remotePort === undefined) return undefined;
  const { localPort: _local, remotePort: _remote, ...paths } = rest;
  return {
    ...paths,
    ...(localHost === undefined ? {} : { localHost: everyAddress(localHost) }),
    ...(localPort === undefined ? {} : { localPort }),
    ...(remotePort === undefined ? {} : { remotePort }),
  };
}
