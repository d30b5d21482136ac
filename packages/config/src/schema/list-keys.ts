import type { ConfigKey } from "../config-keys.ts";
import type { ConfigNode, ReloadKind } from "./config-node.ts";
import { configSchema } from "./config-schema.ts";

/** See `listConfigKeys`. */
export function listKeys(): ConfigKey[] {
  return keysBelow(configSchema, "", "restart", false);
}

function keysBelow(
  node: ConfigNode,
  path: string,
  reload: ReloadKind,
  isSecret: boolean,
): ConfigKey[] {
  if (node.sameAs !== undefined) return [];
  switch (node.kind) {
    case "section": {
      const named = Object.entries(node.keys).flatMap(([key, child]) =>
        keyAndBelow(child, path === "" ? key : `${path}.${key}`, reload, isSecret),
      );
      // Names that an extension gives say nothing, and neither do those of single values.
      const isTelling = node.rest !== undefined && isContainer(node.rest);
      return isTelling
        ? [...named, ...keysBelow(node.rest, `${path}.<name>`, reload, isSecret)]
        : named;
    }
    case "list":
      return keysBelow(node.item, `${path}[]`, reload, isSecret);
    case "either":
      return node.options.flatMap((option) => keysBelow(option, path, reload, isSecret));
    default:
      return [];
  }
}

function keyAndBelow(
  node: ConfigNode,
  path: string,
  reloadAbove: ReloadKind,
  isSecretAbove: boolean,
): ConfigKey[] {
  if (node.isElsewhere) return [];
  const reload = node.reload ?? reloadAbove;
  const isSecret = isSecretAbove || node.isSecret === true;
  const below = keysBelow(node, path, reload, isSecret);
  const key: ConfigKey = {
    path,
    summary:
      node.sameAs === undefined ? node.summary : `${node.summary} Same keys as \`${node.sameAs}\`.`,
    allowed: allowedText(node),
    reload,
    isSecret,
    isSection: below.length > 0,
    rules: node.kind === "section" ? (node.rules ?? []).map(({ summary }) => summary) : [],
    ...(node.unit === undefined ? {} : { unit: node.unit }),
    ...fallbackOf(node),
  };
  return [key, ...below];
}

function fallbackOf(node: ConfigNode): Pick<ConfigKey, "fallback"> {
  if (node.defaultText !== undefined) return { fallback: { text: node.defaultText } };
  return node.default === undefined ? {} : { fallback: { value: node.default } };
}

/** What a node allows, in words. */
function allowedText(node: ConfigNode): string {
  switch (node.kind) {
    case "text":
      return node.isPath === true ? "a path" : node.allowed;
    case "number":
    case "either":
      return node.allowed;
    case "flag":
      return "true or false";
    case "word":
      return node.words.map((word) => JSON.stringify(word)).join(", ");
    case "list":
      return isContainer(node.item) ? "a list of objects" : listText(node);
    case "section":
      return node.rest === undefined || Object.keys(node.keys).length > 0
        ? "an object"
        : mapText(node.rest);
    default:
      return "anything";
  }
}

function listText({ allowed, item }: Extract<ConfigNode, { kind: "list" }>): string {
  return allowed === "a list" ? `a list, each ${allowedText(item)}` : allowed;
}

function mapText(rest: ConfigNode): string {
  if (rest.kind === "any") return "an object of any keys";
  return isContainer(rest) ? "objects by name" : `an object, each value ${allowedText(rest)}`;
}

function isContainer(node: ConfigNode): boolean {
  return (
    node.kind === "section" && (Object.keys(node.keys).length > 0 || node.rest?.kind !== "any")
  );
}
