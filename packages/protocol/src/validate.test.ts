import { describe, expect, test } from "vitest";
import * as z from "zod";
import { methodSchemas } from "./schemas/method-schemas.ts";
import { validateParams } from "./validate.ts";

function detailOf(schema: z.ZodType, value: unknown): string | undefined {
  const result = validateParams(schema, value);
  return result.ok ? undefined : result.detail;
}

const invoke = methodSchemas["node.invoke"].params;
const complete = { nodeId: "n", command: "c", idempotencyKey: "k" };
const client = { id: "cli", mode: "cli", version: "1", platform: "linux" };
const hello = { minProtocol: 4, maxProtocol: 4, client };

test("a valid value comes back", () => {
  expect(validateParams(invoke, complete)).toEqual({ ok: true, value: complete });
});

describe("the wording of published validators", () => {
  test.each<[unknown, string]>([
    [{}, "must have required property 'nodeId'"],
    [{ ...complete, foo: 1 }, "at root: unexpected property 'foo'"],
    [null, "must be object"],
    [[], "must be object"],
    ["x", "must be object"],
    [{ ...complete, nodeId: 5 }, "at /nodeId: must be string"],
    [{ ...complete, nodeId: [] }, "at /nodeId: must be string"],
    [{ ...complete, nodeId: null }, "at /nodeId: must be string"],
    [{ ...complete, command: "" }, "at /command: must not have fewer than 1 characters"],
    [{ ...complete, timeoutMs: 1.5 }, "at /timeoutMs: must be integer"],
    [{ ...complete, timeoutMs: "1" }, "at /timeoutMs: must be integer"],
    [{ ...complete, timeoutMs: -1 }, "at /timeoutMs: must be >= 0"],
    [
      { ...complete, timeoutMs: -1.5 },
      "at /timeoutMs: must be integer; at /timeoutMs: must be >= 0",
    ],
    [
      { ...complete, turnSourceThreadId: true },
      "at /turnSourceThreadId: must be string; at /turnSourceThreadId: must be number; " +
        "at /turnSourceThreadId: must match a schema in anyOf",
    ],
    [
      { foo: 1, bar: 2, nodeId: 3 },
      "must have required property 'command'; at root: unexpected property 'foo'; " +
        "at /nodeId: must be string",
    ],
  ])("node.invoke %j: %s", (params, detail) => {
    expect(detailOf(invoke, params)).toBe(detail);
  });

  test.each<[unknown, string]>([
    [{ foo: 1 }, "must have required property 'minProtocol'; at root: unexpected property 'foo'"],
    [
      { ...hello, client: { ...client, id: "zz" } },
      "at /client/id: must be equal to one of the allowed values",
    ],
    [
      { ...hello, minProtocol: 0, client: { ...client, id: "zz", version: "", extra: 1 } },
      "at /minProtocol: must be >= 1; at /client: unexpected property 'extra'; " +
        "at /client/id: must be equal to one of the allowed values; " +
        "at /client/version: must not have fewer than 1 characters",
    ],
    [{ ...hello, client: 5 }, "at /client: must be object"],
    [
      { ...hello, client: { ...client, buildId: "x".repeat(97) } },
      "at /client/buildId: must not have more than 96 characters",
    ],
    [
      { ...hello, caps: ["", 3], commands: "x", permissions: { a: "x" }, device: {} },
      "at /caps/0: must not have fewer than 1 characters; at /caps/1: must be string; " +
        "at /commands: must be array; at /permissions/a: must be boolean; " +
        "at /device: must have required property 'id'",
    ],
    [{ ...hello, permissions: [] }, "at /permissions: must be object"],
    [{ ...hello, auth: { "odd/key": 1 } }, "at /auth: unexpected property 'odd/key'"],
  ])("connect %j: %s", (params, detail) => {
    expect(detailOf(methodSchemas.connect.params, params)).toBe(detail);
  });

  test.each<[keyof typeof methodSchemas, unknown, string]>([
    ["node.list", { a: 1, b: 2 }, "at root: unexpected property 'a'"],
    ["node.pending.drain", { maxItems: 0 }, "at /maxItems: must be >= 1"],
    ["node.pending.drain", { maxItems: 11 }, "at /maxItems: must be <= 10"],
    ["node.pending.ack", { ids: [] }, "at /ids: must not have fewer than 1 items"],
    [
      "node.skills.update",
      { skills: Array.from({ length: 65 }, () => ({ name: "a", description: "b", content: "c" })) },
      "at /skills: must not have more than 64 items",
    ],
    [
      "node.pluginTools.update",
      { tools: [{ pluginId: "a", name: "!", description: "b" }] },
      'at /tools/0/name: must match pattern "^[A-Za-z][A-Za-z0-9_-]{0,63}$"',
    ],
    [
      "exec.approvals.node.set",
      { nodeId: "n", file: { version: 2 } },
      "at /file/version: must be equal to constant",
    ],
    [
      "exec.approvals.node.set",
      { nodeId: "n", file: { version: 1, agents: { "a~b/c": { allowlist: [{}] } } } },
      "at /file/agents/a~b/c/allowlist/0: must have required property 'pattern'",
    ],
    ["exec.approvals.node.set", { nodeId: "n" }, "must have required property 'file'"],
  ])("%s %j: %s", (method, params, detail) => {
    expect(detailOf(methodSchemas[method].params, params)).toBe(detail);
  });
});

test("schemas of an embedder read the same way", () => {
  expect(detailOf(z.object({ a: z.literal(true) }), { a: 1 })).toBe(
    "at /a: must be equal to constant",
  );
  expect(detailOf(z.object({ a: z.int().positive() }), { a: 0 })).toBe("at /a: must be > 0");
  expect(detailOf(z.object({ a: z.int() }), { a: 1.5 })).toBe("at /a: must be integer");
  expect(detailOf(z.object({ a: z.number().lt(3) }), { a: 3 })).toBe("at /a: must be < 3");
  expect(detailOf(z.object({ a: z.email() }), { a: "x" })).toBe('at /a: must match format "email"');
  expect(
    detailOf(
      z.string().refine(() => false, "must rhyme"),
      "x",
    ),
  ).toBe("must rhyme");
  expect(detailOf(z.tuple([z.string()]), [])).toBe("must not have fewer than 1 items");
});

test("a union names what is missing in each of its options", () => {
  const schema = z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.number() })]);
  expect(detailOf(z.object({ u: schema }), { u: {} })).toBe(
    "at /u: must have required property 'a'; at /u: must match a schema in anyOf",
  );
});

test("a flood of failures is cut", () => {
  const detail = detailOf(invoke, { ...complete, nodeId: 1, command: 2, idempotencyKey: 3 });
  expect(detail?.split("; ")).toHaveLength(3);
  const ids = Array.from({ length: 1_000 }, () => "");
  expect(detailOf(methodSchemas["node.pending.ack"].params, { ids })?.split("; ")).toHaveLength(8);
});
