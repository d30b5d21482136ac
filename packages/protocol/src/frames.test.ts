import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeError, encodeEvent, encodeRequest, encodeResponse } from "./frames.ts";
import { parseFrame } from "./parse-frame.ts";
import { RawJson } from "./raw-json.ts";

const name = fc.string({ unit: "binary", minLength: 1 });
// Through JSON once, so that -0 and the like compare equal.
const json = fc
  .jsonValue({ maxDepth: 4 })
  .map((value): unknown => JSON.parse(JSON.stringify(value)));

test("every request survives the wire", () => {
  fc.assert(
    fc.property(name, name, json, (id, method, params) => {
      const frame = { type: "req", id, method, params };
      expect(parseFrame(encodeRequest(id, method, params))).toEqual({ ok: true, frame });
      const raw = new RawJson(JSON.stringify(params));
      expect(encodeRequest(id, method, raw)).toBe(encodeRequest(id, method, params));
    }),
  );
});

test("every response survives the wire", () => {
  fc.assert(
    fc.property(name, json, (id, payload) => {
      const frame = { type: "res", id, ok: true, payload };
      expect(parseFrame(encodeResponse(id, payload))).toEqual({ ok: true, frame });
      const raw = new RawJson(JSON.stringify(payload));
      expect(encodeResponse(id, raw)).toBe(encodeResponse(id, payload));
    }),
  );
});

test("every error survives the wire", () => {
  const retryAfterMs = fc.nat();
  fc.assert(
    fc.property(name, name, name, json, retryAfterMs, (id, code, message, details, after) => {
      const error = { code, message, details, retryable: true, retryAfterMs: after };
      const frame = { type: "res", id, ok: false, error };
      expect(parseFrame(encodeError(id, error))).toEqual({ ok: true, frame });
    }),
  );
});

test("every event survives the wire", () => {
  fc.assert(
    fc.property(name, json, fc.nat(), (event, payload, seq) => {
      const stateVersion = { presence: seq, health: 1 };
      const frame = { type: "event", event, payload, seq, stateVersion };
      expect(parseFrame(encodeEvent({ event, payload, seq, stateVersion }))).toEqual({
        ok: true,
        frame,
      });
    }),
  );
});

test("what is undefined is left out", () => {
  expect(encodeRequest("1", "health")).toBe('{"type":"req","id":"1","method":"health"}');
  expect(encodeResponse("1")).toBe('{"type":"res","id":"1","ok":true}');
  expect(encodeResponse("1", () => {})).toBe('{"type":"res","id":"1","ok":true}');
  expect(encodeEvent({ event: "tick", seq: undefined })).toBe('{"type":"event","event":"tick"}');
  expect(encodeResponse("1", null)).toBe('{"type":"res","id":"1","ok":true,"payload":null}');
});

test("raw JSON is spliced in as it stands, white space and all", () => {
  const raw = new RawJson('{ "a": 1.0 }');
  expect(encodeResponse("1", raw)).toBe('{"type":"res","id":"1","ok":true,"payload":{ "a": 1.0 }}');
  expect(encodeEvent({ event: "x", payload: raw, seq: 3 })).toBe(
    '{"type":"event","event":"x","payload":{ "a": 1.0 },"seq":3}',
  );
});

test("raw JSON inside another payload is the value it holds", () => {
  expect(encodeResponse("1", { inner: new RawJson("[1]") })).toBe(
    '{"type":"res","id":"1","ok":true,"payload":{"inner":[1]}}',
  );
});
