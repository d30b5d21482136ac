import { createLogger } from "@openclaw/app-kit";
import { expect, test } from "vitest";
import { wsLogHooks } from "./ws-log.ts";

const SECRET = "a-secret-in-a-frame";
const REQUEST = JSON.stringify({
  type: "req",
  id: "1",
  method: "config.set",
  params: { value: SECRET },
});
const ANSWER = JSON.stringify({
  type: "res",
  id: "1",
  ok: false,
  error: { code: "INVALID_REQUEST", message: SECRET },
});
const EVENT = JSON.stringify({ type: "event", event: "tick", payload: { text: SECRET } });

function logOf(style: "off" | "full" | "compact"): Record<string, unknown>[] {
  let text = "";
  const logger = createLogger({ write: (line) => void (text += line) });
  let nowMs = 1_000;
  const hooks = wsLogHooks({ style, level: "info" }, logger, () => (nowMs += 5));
  hooks.frameReceived?.(REQUEST, "a");
  hooks.frameReceived?.("{not json", "a");
  hooks.frameReceived?.(`{"type":"req","id":"${"x".repeat(200)}","method":"a\\u001bb"}`, "a");
  hooks.frameSent?.(EVENT, "a");
  // The same id of another peer is another request.
  hooks.frameSent?.(ANSWER, "b");
  hooks.frameSent?.(ANSWER, "a");
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain("\\u001b");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("full logs each frame by kind, name and size, and nothing that it carries", () => {
  expect(logOf("full")).toMatchObject([
    { direction: "in", kind: "req", name: "config.set", id: "1", connId: "a" },
    { direction: "in", kind: "other", bytes: 9 },
    { direction: "in", kind: "req" },
    { direction: "out", kind: "event", name: "tick" },
    { direction: "out", kind: "res", connId: "b" },
    { direction: "out", kind: "res", ok: false, code: "INVALID_REQUEST", connId: "a" },
  ]);
});

test("compact logs each request once, when it is answered", () => {
  expect(logOf("compact")).toMatchObject([
    {
      msg: "request answered",
      connId: "a",
      method: "config.set",
      ok: false,
      code: "INVALID_REQUEST",
      tookMs: 5,
    },
  ]);
});

test("off costs nothing: there is no hook", () => {
  expect(wsLogHooks({ style: "off", level: "debug" }, createLogger({ write() {} }))).toEqual({});
});
