import { isObject } from "@openclaw/app-kit";
import type { ConfigPath, KeyFacts } from "@openclaw/config";

type JsonSchema = Readonly<Record<string, unknown>>;

/** What a form shows beside a key. */
export interface UiHint {
  help?: string;
  sensitive?: boolean;
}

/** Keys of `properties`, as a form has them; `*` stands for the items of a list and for free keys. */
export function uiHints(schema: JsonSchema, facts: KeyFacts): Record<string, UiHint> {
  const hints: Record<string, UiHint> = {};
  function visit(node: unknown, path: readonly string[]): void {
    if (!isObject(node)) return;
    const hint = hintOf(node, path, facts);
    if (path.length > 0 && hint !== undefined) hints[path.join(".")] = hint;
    for (const [key, child] of childrenOf(node)) visit(child, [...path, key]);
  }
  visit(schema, []);
  return hints;
}

/** One place of the schema: what it may hold, and the keys below it. */
export interface SchemaPlace {
  readonly schema: JsonSchema;
  readonly children: readonly SchemaChild[];
}

export interface SchemaChild {
  readonly key: string;
  readonly path: string;
  /** Missing where the schema has alternatives instead. */
  readonly type?: unknown;
  readonly required: boolean;
  readonly hasChildren: boolean;
  readonly hint?: UiHint;
}

/** The place of a path; `undefined` where the schema has none. */
export function lookUpSchema(
  schema: JsonSchema,
  path: ConfigPath,
  facts: Pick<KeyFacts, "isSecretPath">,
): SchemaPlace | undefined {
  let node: unknown = schema;
  for (const key of path) node = childOf(node, key);
  if (!isObject(node)) return undefined;
  const { properties: _, items: __, additionalProperties: ___, $defs: ____, ...own } = node;
  const prefix = path.map((key) => (typeof key === "number" ? "*" : key));
  const required: readonly unknown[] = Array.isArray(node["required"]) ? node["required"] : [];
  return {
    schema: own,
    children: childrenOf(node).map(([key, child]) => {
      const hint = hintOf(child, [...prefix, key], facts);
      return {
        key,
        path: [...prefix, key].join("."),
        ...(child["type"] === undefined ? {} : { type: child["type"] }),
        required: required.includes(key),
        hasChildren: childrenOf(child).length > 0,
        ...(hint === undefined ? {} : { hint }),
      };
    }),
  };
}

export function hintOf(
  node: JsonSchema,
  path: ConfigPath,
  { isSecretPath }: Pick<KeyFacts, "isSecretPath">,
): UiHint | undefined {
  const help = node["description"];
  const sensitive = path.length > 0 && isSecretPath(path);
  if (typeof help !== "string" && !sensitive) return undefined;
  return { ...(typeof help === "string" ? { help } : {}), ...(sensitive ? { sensitive } : {}) };
}

function childrenOf(node: JsonSchema): (readonly [string, JsonSchema])[] {
  const { properties, items, additionalProperties } = node;
  return [
    ...(isObject(properties) ? Object.entries(properties) : []),
    ...["*"].flatMap((key) =>
      [items, additionalProperties].filter(isObject).map((child) => [key, child] as const),
    ),
  ].filter((entry): entry is readonly [string, JsonSchema] => isObject(entry[1]));
}

function childOf(node: unknown, key: string | number): unknown {
  if (!isObject(node)) return undefined;
  const { properties, items, additionalProperties, anyOf } = node;
  if (typeof key === "string" && isObject(properties) && Object.hasOwn(properties, key)) {
    return properties[key];
  }
  // `list.0` and `list.*` are how other programs write what is `list[0]` here.
  if ((typeof key === "number" || /^(?:\*|\d+)$/.test(key)) && isObject(items)) return items;
  if (isObject(additionalProperties)) return additionalProperties;
  return Array.isArray(anyOf)
    ? anyOf.map((option: unknown) => childOf(option, key)).find((child) => child !== undefined)
    : undefined;
}
