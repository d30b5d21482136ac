import { readFileSync } from "node:fs";
import { asObject, hasCode, isObject, messageOf, writePrivateFile } from "@openclaw/app-kit";

/** What a node keeps between runs, in `node.json`; it holds no secret of ours. */
export interface NodeFile {
  version: 1;
  nodeId?: string;
  displayName?: string;
  gateway?: SavedGateway;
  /** Written by older releases; kept as it is and not used. */
  token?: string;
}

/** The Gateway that was named last; used when the flags name none. */
export interface SavedGateway {
  host?: string;
  port?: number;
  tls?: boolean;
  /** One pin, as earlier releases wrote it, or two. */
  tlsFingerprint?: string | readonly string[];
  /** Path of the URL, when it is more than `/`. */
  contextPath?: string;
  /** The way there over SSH; nothing else is kept beside it. */
  ssh?: SavedSsh;
}

/** The SSH connection behind which a Gateway is. */
export interface SavedSsh {
  /** `[user@]host[:port]` or an alias. */
  target: string;
  /** Port of the Gateway on the far side. */
  remotePort?: number;
  identity?: string;
  /** The only host key to accept. */
  hostKey?: string;
  knownHosts?: string;
}

/** A `node.json` that is there and cannot be read; nothing is written over it. */
export class NodeFileError extends Error {
  override readonly name = "NodeFileError";
}

/**
 * Reads the file; a missing one is empty.
 *
 * @throws {NodeFileError}
 */
export function readNodeFile(path: string): NodeFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { version: 1 };
    throw new NodeFileError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the text, and an older file may hold a token.
    throw new NodeFileError(`${path} is not JSON`, { cause: error });
  }
  if (!isObject(value) || value["version"] !== 1) {
    throw new NodeFileError(`${path} is not a node file of version 1`);
  }
  const gateway = asObject(value["gateway"]);
  const ssh = savedSsh(asObject(gateway["ssh"]));
  return {
    ...value,
    version: 1,
    ...pick(value, { nodeId: "string", displayName: "string" }),
    gateway: {
      ...pick(gateway, {
        host: "string",
        port: "number",
        tls: "boolean",
        contextPath: "string",
      }),
      ...savedPins(gateway["tlsFingerprint"]),
      ...(ssh === undefined ? {} : { ssh }),
    },
  };
}

/** Writes the file, mode 0600, in one step, and only when something changed. */
export function writeNodeFile(path: string, file: NodeFile): void {
  const text = `${JSON.stringify(file, undefined, 2)}\n`;
  try {
    if (readFileSync(path, "utf8") === text) return;
  } catch {
    // Not there yet.
  }
  writePrivateFile(path, text);
}

function savedPins(value: unknown): Pick<SavedGateway, "tlsFingerprint"> {
  const isPins = Array.isArray(value) && value.every((pin) => typeof pin === "string");
  return typeof value === "string" || isPins ? { tlsFingerprint: value } : {};
}

function savedSsh(value: Record<string, unknown>): SavedSsh | undefined {
  const { target } = value;
  if (typeof target !== "string") return undefined;
  const more = pick(value, {
    remotePort: "number",
    identity: "string",
    hostKey: "string",
    knownHosts: "string",
  });
  return { ...more, target };
}

type TypeName = "string" | "number" | "boolean";

/** The members of the wanted types; a value of another type counts as absent. */
function pick(source: Record<string, unknown>, wanted: Record<string, TypeName>): object {
  return Object.fromEntries(
    Object.entries(wanted)
      .map(([key, type]) => [key, typeof source[key] === type ? source[key] : undefined] as const)
      .filter(([, value]) => value !== undefined),
  );
}
