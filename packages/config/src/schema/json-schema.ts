import type { ConfigNode, KeyFacts } from "./config-node.ts";
import { configSchema } from "./config-schema.ts";

/** A JSON Schema: a plain object, as draft 2020-12 describes it. */
export type JsonSchemaDocument = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 2020-12) of a config file, for editors. What only the program can judge, such
 * as whether an SSH target is one, is not in it.
 */
export function configJsonSchema(): JsonSchemaDocument {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "OpenClaw configuration",
    ...schemaOf(configSchema),
    $defs: {
      include: {
        description:
          "Files whose content is put here, relative to this one. Keys beside it are merged over them.",
        anyOf: [
          { type: "string", minLength: 1 },
          { type: "array", minItems: 1, items: { type: "string", minLength: 1 } },
        ],
      },
    },
  };
}

function schemaOf(node: ConfigNode): JsonSchemaDocument {
  return { ...shapeOf(node), ...annotationsOf(node) };
}

function annotationsOf({
  summary,
  default: fallback,
  isSecret,
  unit,
}: KeyFacts): JsonSchemaDocument {
  return {
    description: unit === undefined ? summary : `${summary} In ${unit}.`,
    ...(fallback === undefined ? {} : { default: fallback }),
    // What may be written and is never shown.
    ...(isSecret === true ? { writeOnly: true } : {}),
  };
}

function shapeOf(node: ConfigNode): JsonSchemaDocument {
  switch (node.kind) {
    case "text":
      return {
        type: "string",
        ...(node.mayBeEmpty ? {} : { minLength: 1 }),
        ...(node.pattern === undefined ? {} : { pattern: orReference(node.pattern.source) }),
      };
    case "number":
      return {
        type: node.isInteger ? "integer" : "number",
        minimum: node.min,
        ...(node.max < Number.MAX_SAFE_INTEGER ? { maximum: node.max } : {}),
      };
    case "flag":
      return { type: "boolean" };
    case "word":
      return { enum: node.words };
    case "list":
      return {
        type: "array",
        items: schemaOf(node.item),
        ...(node.minItems > 0 ? { minItems: node.minItems } : {}),
        ...(node.maxItems < Number.MAX_SAFE_INTEGER ? { maxItems: node.maxItems } : {}),
      };
    case "either":
      return { anyOf: node.options.map(schemaOf) };
    case "any":
      return {};
    default:
      return sectionOf(node);
  }
}

/** A value that is right, or one that comes from the environment. */
function orReference(pattern: string): string {
  return String.raw`(?:${pattern})|\$\{[A-Z_][A-Z0-9_]*\}`;
}

function sectionOf({
  keys,
  rest,
  restKey,
}: Extract<ConfigNode, { kind: "section" }>): JsonSchemaDocument {
  const members = Object.entries(keys).map(([key, child]) => [key, schemaOf(child)] as const);
  return {
    type: "object",
    properties: { $include: { $ref: "#/$defs/include" }, ...Object.fromEntries(members) },
    additionalProperties: rest === undefined ? false : schemaOf(rest),
    ...(restKey === undefined
      ? {}
      : { propertyNames: { anyOf: [{ const: "$include" }, { pattern: restKey.pattern.source }] } }),
  };
}
