import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFrame } from "./parse-frame.ts";
import { eventFrameSchema, requestFrameSchema, responseFrameSchema } from "./schemas/frames.ts";
import { validateParams } from "./validate.ts";

const messageOf = (text: string): string | undefined => {
  const parsed = parseFrame(text);
  return parsed.ok ? undefined : parsed.message;
};
const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
const requestWith = (params: string): string =>
  `{"type":"req","id":"7","method":"m","params":${params}}`;

describe("the envelope", () => {
  test("a request may carry what protocol 4 adds", () => {
    const frame = {
      type: "req",
      id: "1",
      method: "health",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      expectedProfileId: "p",
    };
    expect(parseFrame(JSON.stringify(frame))).toEqual({ ok: true, frame });
  });

  test.each([
    ["nonsense", "must be JSON"],
    ["", "must be JSON"],
    ["null", "must be object"],
    ["[]", "must be object"],
    ['"req"', "must be object"],
    ["{}", "must have required property 'type'"],
    ['{"type":"req"}', "must have required property 'id'"],
    ['{"type":"req","id":"1"}', "must have required property 'method'"],
    ['{"type":"res","id":"1"}', "must have required property 'ok'"],
    ['{"type":"event"}', "must have required property 'event'"],
    ['{"type":"ping","id":"1","method":"m"}', "at /type: must be equal to constant"],
    ['{"type":"req","id":"","method":"m"}', "at /id: must not have fewer than 1 characters"],
    ['{"type":"req","id":7,"method":"m"}', "at /id: must be string"],
    ['{"type":"req","id":"1","method":"m","x":1}', "at root: unexpected property 'x'"],
    [
      '{"type":"req","id":"1","method":"m","__proto__":1}',
      "at root: unexpected property '__proto__'",
    ],
    [
      '{"type":"res","id":"1","ok":false,"error":{"code":"X","x":1}}',
      "at /error: must have required property 'message'; at /error: unexpected property 'x'",
    ],
    [
      '{"type":"event","event":"tick","seq":-1.5}',
      "at /seq: must be integer; at /seq: must be >= 0",
    ],
    [
      '{"type":"event","event":"tick","stateVersion":{"presence":1}}',
      "at /stateVersion: must have required property 'health'",
    ],
  ])("%s is refused", (text, detail) => {
    expect(messageOf(text)).toBe(`invalid request frame: ${detail}`);
  });

  test("a refused frame is answered under its own id, if it has one", () => {
    expect(parseFrame('{"type":"req","id":"7"}')).toMatchObject({ ok: false, id: "7" });
    expect(parseFrame('{"type":"req","id":7}')).toMatchObject({ ok: false, id: "invalid" });
    expect(parseFrame("nonsense")).toMatchObject({ ok: false, id: "invalid" });
  });

  test("a property name as long as a frame is not repeated in the answer", () => {
    const text = `{"type":"req","id":"1","method":"m","${"x".repeat(100_000)}":1}`;
    expect(messageOf(text)?.length).toBeLessThan(200);
  });
});

describe("nesting", () => {
  test("200 levels are accepted, the frame being the first", () => {
    expect(parseFrame(requestWith(deep(199)))).toMatchObject({ ok: true });
  });

  test("one more is refused, under the id of the frame", () => {
    expect(parseFrame(requestWith(deep(200)))).toEqual({
      ok: false,
      id: "7",
      message: "invalid request frame: must not be nested deeper than 200 levels",
    });
  });

  test("a text of brackets only is refused without being parsed", () => {
    expect(messageOf("[".repeat(2_000_000))).toMatch(/nested deeper/);
  });

  test("a large frame that is not deep is accepted", () => {
    const output = "[".repeat(300_000);
    expect(parseFrame(requestWith(JSON.stringify({ output })))).toMatchObject({ ok: true });
  });
});

describe("the guards and the schemas", () => {
  const junk = fc.oneof(
    fc.constantFrom<unknown>(null, 0, -1, 1.5, 1e300, "", "x", true, [], {}, "y".repeat(129)),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const count = fc.oneof(fc.nat(), junk);
  const word = fc.oneof(fc.string({ minLength: 1 }), junk);
  const errorShape = fc.record(
    {
      code: word,
      message: word,
      details: junk,
      retryable: fc.boolean(),
      retryAfterMs: count,
      x: junk,
    },
    { requiredKeys: [] },
  );
  const stateVersion = fc.record({ presence: count, health: count, x: junk }, { requiredKeys: [] });
  // Each member is there or not, right or wrong, and so is one that nobody knows.
  const members = {
    id: word,
    method: word,
    params: junk,
    traceparent: word,
    expectedProfileId: word,
    ok: fc.oneof(fc.boolean(), junk),
    payload: junk,
    error: fc.oneof(errorShape, junk),
    event: word,
    seq: count,
    stateVersion: fc.oneof(stateVersion, junk),
    recipientProfileId: word,
    x: junk,
  };
  const pick = (required: string[], optional: string[]): fc.Arbitrary<object> =>
    fc.oneof(
      fc.subarray(optional).chain((names) => recordOf([...required, ...names])),
      fc.subarray(Object.keys(members)).chain(recordOf),
    );
  const recordOf = (names: readonly string[]): fc.Arbitrary<object> =>
    fc.record(
      Object.fromEntries(names.map((name) => [name, members[name as keyof typeof members]])),
    );

  const cases = [
    ["req", requestFrameSchema, pick(["id", "method"], ["params", "traceparent"])],
    ["res", responseFrameSchema, pick(["id", "ok"], ["payload", "error"])],
    ["event", eventFrameSchema, pick(["event"], ["payload", "seq", "stateVersion"])],
    ["other", requestFrameSchema, pick(["id", "method"], ["params"])],
  ] as const;

  test.each(cases)("agree on every %s frame, down to the wording", (type, schema, frames) => {
    let accepted = 0;
    fc.assert(
      fc.property(frames, (frame) => {
        const text = JSON.stringify({ type, ...frame });
        const value: unknown = JSON.parse(text);
        const validated = validateParams(schema, value);
        accepted += Number(validated.ok);
        expect(parseFrame(text)).toEqual(
          validated.ok
            ? { ok: true, frame: value }
            : {
                ok: false,
                id: expect.any(String),
                message: `invalid request frame: ${validated.detail}`,
              },
        );
      }),
      { numRuns: 500 },
    );
    if (type !== "other") expect(accepted).toBeGreaterThan(20);
  });

  test("agree on values of any kind", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const validated = validateParams(requestFrameSchema, JSON.parse(JSON.stringify(value)));
        expect(parseFrame(JSON.stringify(value)).ok).toBe(validated.ok);
      }),
    );
  });
});
