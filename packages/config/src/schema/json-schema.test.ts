import { expect, test } from "vitest";
import { configJsonSchema } from "./json-schema.ts";

/** A part of the document, by its steps. */
function part(...steps: readonly string[]): unknown {
  return steps.reduce<unknown>(
    (value, step) => (value as Readonly<Record<string, unknown>>)[step],
    configJsonSchema(),
  );
}

function visit(value: unknown, see: (node: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, see);
  else if (typeof value === "object" && value !== null) {
    see(value as Readonly<Record<string, unknown>>);
    for (const item of Object.values(value)) visit(item, see);
  }
}

test("it is a document of draft 2020-12 that refuses unknown keys", () => {
  expect(configJsonSchema()).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    additionalProperties: false,
  });
});

test.each([
  [
    ["gateway", "properties", "port"],
    { type: "integer", minimum: 1, maximum: 65_535, default: 18_789 },
  ],
  [
    ["gateway", "properties", "bind"],
    { enum: ["loopback", "lan", "tailnet", "auto", "custom"], default: "loopback" },
  ],
  [
    ["gateway", "properties", "auth", "properties", "token"],
    { type: "string", minLength: 1, writeOnly: true },
  ],
  [
    ["gateway", "properties", "reload", "properties", "debounceMs"],
    { minimum: 0, default: 300, description: expect.stringContaining("In ms.") },
  ],
  [
    ["gateway", "properties", "remote", "properties", "tlsFingerprint"],
    { anyOf: [{ type: "string" }, { type: "array", minItems: 1, maxItems: 2 }] },
  ],
  [["channels"], { additionalProperties: { type: "object", additionalProperties: {} } }],
  [["env"], { additionalProperties: { type: "string", writeOnly: true } }],
  [["agents", "properties", "list"], { type: "array", items: { type: "object" } }],
])("%j", (steps, expected) => {
  expect(part("properties", ...steps)).toMatchObject(expected);
});

test("every key has a description, every reference leads somewhere, every pattern is one", () => {
  let references = 0;
  visit(configJsonSchema(), (node) => {
    if (typeof node["$ref"] === "string") {
      references += 1;
      expect(node["$ref"]).toBe("#/$defs/include");
    } else if (typeof node["type"] === "string" && node["minLength"] === undefined) {
      expect(node["description"] ?? node["items"]).toBeTruthy();
    }
    if (typeof node["pattern"] === "string") expect(new RegExp(node["pattern"], "u")).toBeTruthy();
  });
  expect(references).toBeGreaterThan(50);
  expect(part("$defs", "include")).toBeTruthy();
});

test("it can be written down", () => {
  const document = configJsonSchema();
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
});

test("a reference to a variable is right where a text has to have a certain shape", () => {
  const { pattern } = part(
    ...["properties", "models", "properties", "providers", "additionalProperties"],
    ...["properties", "baseUrl"],
  ) as { pattern: string };
  const isRight = (text: string): boolean => new RegExp(pattern, "u").test(text);
  expect(["https://a.example", "${BASE_URL}", "ftp://a"].map(isRight)).toEqual([true, true, false]);
});
