import type { Method } from "@openclaw/gateway-core";
import { z } from "zod";
import { limitsText, typeText, type JsonSchema } from "./json-schema-type.ts";

const PREFACE = `# Methods

<!-- Written by \`npm run docs\` from the Gateway's method table. Do not edit. -->

Everything that a peer can call on a Gateway, and a program that embeds one through \`gateway.call()\`.
[protocol.md](protocol.md) says how a call looks on the wire, and [pairing.md](pairing.md) what a scope
is. Params are closed: an unknown member is answered with \`INVALID_REQUEST\`. Results may grow further
members.

Access is the scope that an operator needs, \`node\` for what only nodes call, or \`any\`.
`;

/** \`docs/methods.md\`, written from the table that the Gateway serves from; not yet formatted. */
export function methodReference(
  methods: readonly Described[],
  ofProgram: readonly Described[] = [],
): string {
  return [
    PREFACE,
    overview(methods),
    ...(ofProgram.length === 0 ? [] : [OF_PROGRAM, overview(ofProgram)]),
    ...methods.map(section),
    ...ofProgram.map(section),
  ].join("\n");
}

type Described = Omit<Method, "handler">;

const OF_PROGRAM = `The program \`openclaw\` adds these, which work on its files; an embedded Gateway lacks them.
`;

function overview(methods: readonly Described[]): string {
  return table(
    ["Method", "Access", "What it does"],
    methods.map((method) => [
      `[\`${method.name}\`](#${anchor(method.name)})`,
      `\`${method.access}\``,
      method.summary,
    ]),
  );
}

function section({
  name,
  access,
  summary,
  params,
  result,
  advertised,
}: Omit<Method, "handler">): string {
  const hidden = advertised === false ? " Not listed in `features.methods`." : "";
  return [
    `## ${name}\n`,
    `${summary} Access: \`${access}\`.${hidden}\n`,
    paramsText(jsonSchema(params, "input")),
    ...(result === undefined
      ? []
      : [
          "Result:\n",
          `\`\`\`ts\ntype Result = ${typeText(jsonSchema(result, "output"))};\n\`\`\`\n`,
        ]),
  ].join("\n");
}

function paramsText({ properties = {}, required = [] }: JsonSchema): string {
  const members = Object.entries(properties);
  if (members.length === 0) return "No params.\n";
  return table(
    ["Param", "Type", ""],
    members.map(([name, schema]) => [
      `\`${name}\``,
      `\`${typeText(schema).replaceAll(/\s+/gu, " ")}\``,
      [required.includes(name) ? "required" : "", limitsText(schema)].filter(Boolean).join(", "),
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}

/** The anchor that GitHub gives a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\w\- ]/gu, "");
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  // Ours is the part of JSON Schema that these schemas come out as.
  return z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema;
}
