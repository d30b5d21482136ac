import { safeText } from "@openclaw/app-kit";
import { CliError } from "../errors.ts";
import { shortId } from "../output/text.ts";
import type { NodeEntry } from "./node-entry.ts";

const MIN_PREFIX_CHARS = 6;

/**
 * Finds the node that was meant: exact id, exact address, normalised name, then an id prefix of at
 * least 6 characters. A connected node wins over others that match equally well.
 *
 * @throws {CliError} `cli_error` when none or several match
 */
export function resolveNode<
  N extends Pick<NodeEntry, "nodeId" | "displayName" | "remoteIp" | "connected">,
>(query: string, nodes: readonly N[]): N {
  const wanted = query.trim();
  const name = normaliseName(wanted);
  const tests: ((node: N) => boolean)[] = [
    (node) => node.nodeId === wanted,
    (node) => node.remoteIp !== undefined && node.remoteIp === wanted,
    (node) => isCalled(node.displayName, wanted, name),
    (node) => wanted.length >= MIN_PREFIX_CHARS && node.nodeId.startsWith(wanted.toLowerCase()),
  ];
  for (const test of tests) {
    const matches = nodes.filter(test);
    if (matches.length === 0) continue;
    const connected = matches.filter((node) => node.connected === true);
    const [found, another] = connected.length > 0 ? connected : matches;
    if (found !== undefined && another === undefined) return found;
    throw notFound(`ambiguous node: ${safeText(query)} (matches: ${listed(matches)})`);
  }
  const known = nodes.length === 0 ? "none" : listed(nodes);
  throw notFound(`unknown node: ${safeText(query)} (known: ${known})`);
}

/** Lower case, with runs of anything but letters and digits folded to one dash. */
export function normaliseName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
}

function isCalled(displayName: string | undefined, wanted: string, name: string): boolean {
  if (displayName === undefined) return false;
  // A name without any Latin letter or digit folds to nothing, but can be typed as it is.
  return name === "" ? displayName.trim() === wanted : normaliseName(displayName) === name;
}

/** How a node is called in a sentence: its name and the beginning of its id. */
export function nameOf(node: { nodeId: string; displayName?: string | undefined }): string {
  const name = safeText(node.displayName);
  return name === "" ? shortId(node.nodeId) : `${name} (${shortId(node.nodeId)})`;
}

function listed(nodes: readonly { nodeId: string; displayName?: string }[]): string {
  return nodes.map((node) => nameOf(node)).join(", ");
}

function notFound(message: string): CliError {
  return new CliError("cli_error", message, { fields: { kind: "not_found" } });
}
