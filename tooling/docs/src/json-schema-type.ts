/** The part of JSON Schema that zod writes for the schemas of the protocol. */
export interface JsonSchema {
  type?: string | readonly string[];
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly JsonSchema[];
  items?: JsonSchema;
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  additionalProperties?: boolean | JsonSchema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
}

/** The schema as a TypeScript type, for readers. */
export function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined)
    return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(" | ");
  const { type } = schema;
  if (type === undefined) return "unknown";
  if (typeof type !== "string")
    return type.map((name) => typeText({ ...schema, type: name })).join(" | ");
  switch (type) {
    case "integer":
      return "number";
    case "array":
      return arrayText(schema.items ?? {});
    case "object":
      return objectText(schema);
    default:
      return type;
  }
}

/** What the type does not tell: whole numbers and limits; empty when there is nothing to add. */
export function limitsText(schema: JsonSchema): string {
  const limits: string[] = [];
  if (schema.type === "integer") limits.push("integer");
  const { minimum, maximum, minLength, maxLength, maxItems } = schema;
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER) limits.push(`≥ ${minimum}`);
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) limits.push(`≤ ${maximum}`);
  if (minLength === 1) limits.push("not empty");
  else if (minLength !== undefined) limits.push(`at least ${minLength} characters`);
  if (maxLength !== undefined) limits.push(`at most ${maxLength} characters`);
  if (maxItems !== undefined) limits.push(`at most ${maxItems} items`);
  return limits.join(", ");
}

function arrayText(items: JsonSchema): string {
  const item = typeText(items);
  return / \| /u.test(item) ? `(${item})[]` : `${item}[]`;
}

function objectText({ properties = {}, required = [], additionalProperties }: JsonSchema): string {
  const members = Object.entries(properties);
  if (members.length === 0) {
    if (typeof additionalProperties !== "object") return "{}";
    return `Record<string, ${typeText(additionalProperties)}>`;
  }
  const lines = members.map(([name, schema]) => {
    const key = /^[\w$]+$/u.test(name) ? name : JSON.stringify(name);
    return `${key}${required.includes(name) ? "" : "?"}: ${typeText(schema)};`;
  });
  return `{\n${lines.join("\n")}\n}`;
}
