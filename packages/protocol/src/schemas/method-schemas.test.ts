import { describe, expect, expectTypeOf, test } from "vitest";
import type * as z from "zod";
import { validateParams } from "../validate.ts";
import {
  type EventName,
  type EventPayload,
  type MethodName,
  type MethodParams,
  type MethodResult,
  eventSchemas,
  methodSchemas,
} from "./method-schemas.ts";
import type { NodeEntry } from "./node.ts";

// Object.entries() forgets the names; they are those of the table.
const methods = Object.entries(methodSchemas) as [
  MethodName,
  { params: z.ZodType; result: z.ZodType },
][];

/** Takes whatever a node says of its runners; each release says something else. */
const OPEN_PARAMS: readonly MethodName[] = ["node.runnerInventory.update"];

test.each(methods.filter(([name]) => !OPEN_PARAMS.includes(name)))(
  "%s refuses params that it does not know",
  (_name, { params }) => {
    expect(validateParams(params, { "no such member": 1 })).toMatchObject({
      ok: false,
      detail: expect.stringContaining("at root: unexpected property 'no such member'"),
    });
  },
);

/** What published peers send, and what they were seen to accept. */
const params: [MethodName, unknown][] = [
  ["health", {}],
  ["health", { probe: true }],
  ["status", { includeChannelSummary: false }],
  ["channels.status", { probe: false, timeoutMs: 8_000 }],
  ["system-presence", {}],
  ["last-heartbeat", {}],
  ["device.pair.approve", { requestId: "8f1d" }],
  ["device.token.rotate", { deviceId: "d", role: "node" }],
  [
    "node.invoke",
    { nodeId: "n", command: "system.which", params: {}, idempotencyKey: "k", timeoutMs: 15_000 },
  ],
  ["node.invoke", { nodeId: "n", command: "c", idempotencyKey: "k", timeoutMs: 1e300 }],
  ["node.invoke.result", { id: "i", nodeId: "n", ok: true, payloadJSON: "{}" }],
  ["node.invoke.result", { id: "i", nodeId: "n", ok: true, payload: { a: 1 } }],
  [
    "node.invoke.result",
    { id: "i", nodeId: "n", ok: false, payloadJSON: null, error: { code: "X" } },
  ],
  ["node.invoke.result", { id: "i", nodeId: "n", ok: true, error: null }],
  ["node.invoke.progress", { invokeId: "i", nodeId: "n", seq: 0, chunk: "" }],
  ["node.invoke.input", { idempotencyKey: "k", payloadJSON: "{}" }],
  ["node.invoke.sync", {}],
  ["node.event", { event: "node.host.stats", payloadJSON: "{}" }],
  ["node.runnerInventory.update", { protocolFeatures: ["v6"], workerHost: { enabled: false } }],
  ["exec.approvals.node.set", { nodeId: "n", file: { version: 1 }, baseHash: "h" }],
  ["exec.approvals.node.set", { nodeId: "n", native: { rules: [] }, baseHash: "h" }],
  ["logs.tail", {}],
  ["logs.tail", { cursor: Number.MAX_SAFE_INTEGER, limit: 5_000, maxBytes: 1_000_000 }],
];

test.each(params)("%s takes %j", (method, value) => {
  expect(validateParams(methodSchemas[method].params, value)).toEqual({ ok: true, value });
});

const refused: [MethodName, unknown, string][] = [
  ["node.event", { event: "e", payloadJSON: null }, "at /payloadJSON: must be string"],
  [
    "node.invoke.progress",
    { invokeId: "i", nodeId: "n", seq: 0, chunk: "x".repeat(16_385) },
    "at /chunk: must not have more than 16384 characters",
  ],
  [
    "device.pair.rename",
    { deviceId: "d", label: "x".repeat(65) },
    "at /label: must not have more than 64 characters",
  ],
  [
    "exec.approvals.node.set",
    { nodeId: "n", file: { version: 1, defaults: { securty: "deny" } } },
    "at /file/defaults: unexpected property 'securty'",
  ],
  ["logs.tail", { limit: 5_001 }, "at /limit: must be <= 5000"],
  ["logs.tail", { maxBytes: 0 }, "at /maxBytes: must be >= 1"],
  ["logs.tail", { file: "/etc/passwd" }, "at root: unexpected property 'file'"],
];

test.each(refused)("%s refuses what published peers refuse (%#)", (method, value, detail) => {
  expect(validateParams(methodSchemas[method].params, value)).toEqual({ ok: false, detail });
});

/** The least that published peers were seen to live with, and what this project sends. */
const results: [MethodName, unknown][] = [
  ["health", { ok: true }],
  ["status", {}],
  ["system-presence", []],
  ["last-heartbeat", null],
  ["channels.status", {}],
  ["logs.tail", { file: "f", cursor: 0, size: 0, lines: [], reset: true, skippedBytes: 3 }],
  ["node.list", { nodes: [{ nodeId: "n" }] }],
  ["node.list", { ts: 1, nodes: [{ nodeId: "n", approvalState: "unapproved", later: 1 }] }],
  ["node.describe", { ts: 1, nodeId: "n", caps: [], commands: [], paired: true, connected: false }],
  ["node.pair.list", { pending: [{ requestId: "r", nodeId: "n", ts: 1 }], paired: [] }],
  [
    "device.pair.list",
    { pending: [{ requestId: "r", deviceId: "d", ts: 1 }], paired: [{ deviceId: "d" }] },
  ],
  ["node.invoke", { ok: true, nodeId: "n", command: "c", payload: null, payloadJSON: null }],
  ["node.event", { ok: true }],
  ["node.invoke.result", { ok: true, ignored: true }],
  ["node.invoke.status", { idempotencyKey: "k", stage: "not-sent", recorded: false }],
  ["node.invoke.cancel", { ok: true, cancelled: false, stage: "finished" }],
  ["node.invoke.sync", { open: [{ id: "i", idempotencyKey: "k" }] }],
  [
    "exec.approvals.node.get",
    {
      path: "/p",
      exists: true,
      hash: "h",
      file: { version: 1, later: 1, defaults: { ask: "off" } },
    },
  ],
];

test.each(results)("the answer of %s may be %j", (method, value) => {
  expect(validateParams(methodSchemas[method].result, value)).toEqual({ ok: true, value });
});

const events: [EventName, unknown][] = [
  ["connect.challenge", { nonce: "n", ts: 1 }],
  ["tick", { ts: 1 }],
  ["shutdown", { reason: "service restart", restartExpectedMs: null }],
  ["presence", { presence: [{ ts: 1 }] }],
  ["device.pair.resolved", { requestId: "r", deviceId: "d", decision: "approved", ts: 1 }],
  ["device.pair.changed", {}],
  ["node.pair.resolved", { requestId: "", nodeId: "n", decision: "removed", ts: 1 }],
  ["node.invoke.request", { id: "i", nodeId: "n", command: "c", paramsJSON: null }],
  ["node.invoke.cancel", { invokeId: "i", nodeId: "n" }],
  ["node.invoke.input", { id: "i", nodeId: "n", seq: 0, payloadJSON: "" }],
  ["node.invoke.progress", { idempotencyKey: "k", invokeId: "i", nodeId: "n", seq: 0, chunk: "" }],
];

test.each(events)("the event %s may carry %j", (event, value) => {
  expect(validateParams(eventSchemas[event], value)).toEqual({ ok: true, value });
});

describe("the types", () => {
  test("follow the name of a method", () => {
    expectTypeOf<MethodParams<"node.describe">>().toEqualTypeOf<{ nodeId: string }>();
    expectTypeOf<MethodResult<"node.list">["nodes"][number]>().toEqualTypeOf<NodeEntry>();
    expectTypeOf<MethodResult<"node.invoke">["ok"]>().toEqualTypeOf<true>();
    expectTypeOf<EventPayload<"tick">>().toEqualTypeOf<{ ts: number }>();
  });

  test("do not know members that are misspelt", () => {
    expectTypeOf<NodeEntry>().not.toHaveProperty("nodeID");
    expectTypeOf<"node.lits">().not.toExtend<MethodName>();
  });
});
