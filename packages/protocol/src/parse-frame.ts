import { mustBe, tooDeep } from "./failure-text.ts";
import { explainFrame } from "./frame-failures.ts";
import type { EventFrame, Frame, RequestFrame, ResponseFrame } from "./frames.ts";
import { exceedsDepth, textExceedsDepth } from "./json-depth.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";

/** What {@link parseFrame} made of a text. */
export type ParsedFrame =
  | { ok: true; frame: Frame }
  /** `id` is the frame's, or `invalid` where it has none; `message` is ready for the answer. */
  | { ok: false; id: string; message: string };

/** A text that goes below the limit and comes up again has a bracket pair for each level. */
const MIN_DEEP_CHARS = 2 * (MAX_JSON_DEPTH + 1);

/**
 * Below this the value is walked after parsing, which costs next to nothing; above it the text is
 * read first, since millions of nested arrays would take gigabytes to parse.
 */
const MAX_UNREAD_CHARS = 131_072;

/**
 * Parses one message of the wire and checks its envelope: a closed object, so that a member that
 * the protocol does not know is refused. What the params or the payload hold is not looked at,
 * except that nothing may be nested deeper than {@link MAX_JSON_DEPTH}.
 */
export function parseFrame(text: string): ParsedFrame {
  if (text.length > MAX_UNREAD_CHARS && textExceedsDepth(text, MAX_JSON_DEPTH)) {
    return invalid("invalid", tooDeep(MAX_JSON_DEPTH));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid("invalid", mustBe("JSON"));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return invalid("invalid", mustBe("object"));
  }
  if (
    text.length >= MIN_DEEP_CHARS &&
    text.length <= MAX_UNREAD_CHARS &&
    exceedsDepth(value, MAX_JSON_DEPTH)
  ) {
    return invalid(idOf(value), tooDeep(MAX_JSON_DEPTH));
  }
  if (isFrame(value)) return { ok: true, frame: value };
  return invalid(idOf(value), explainFrame(value));
}

/** Whether a value out of `JSON.parse` is a frame, depth aside. */
function isFrame(value: object): value is Frame {
  switch ((value as { type?: unknown }).type) {
    case "req":
      return isRequestFrame(value);
    case "res":
      return isResponseFrame(value);
    case "event":
      return isEventFrame(value);
    default:
      return false;
  }
}

function isRequestFrame(value: object): value is RequestFrame {
  const frame = value as Record<string, unknown>;
  for (const key in frame) {
    switch (key) {
      case "type":
      case "id":
      case "method":
      case "params":
        break;
      case "traceparent":
        if (!isText(frame[key], 0, 128)) return false;
        break;
      case "expectedProfileId":
        if (!isText(frame[key], 1, 128)) return false;
        break;
      default:
        return false;
    }
  }
  return isText(frame["id"]) && isText(frame["method"]);
}

function isResponseFrame(value: object): value is ResponseFrame {
  const frame = value as Record<string, unknown>;
  for (const key in frame) {
    switch (key) {
      case "type":
      case "id":
      case "ok":
      case "payload":
        break;
      case "error":
        if (!isErrorShape(frame[key])) return false;
        break;
      default:
        return false;
    }
  }
  return isText(frame["id"]) && typeof frame["ok"] === "boolean";
}

function isEventFrame(value: object): value is EventFrame {
  const frame = value as Record<string, unknown>;
  for (const key in frame) {
    switch (key) {
      case "type":
      case "event":
      case "payload":
        break;
      case "seq":
        if (!isCount(frame[key])) return false;
        break;
      case "stateVersion":
        if (!isStateVersion(frame[key])) return false;
        break;
      case "recipientProfileId":
        if (!isText(frame[key])) return false;
        break;
      default:
        return false;
    }
  }
  return isText(frame["event"]);
}

function isErrorShape(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const error = value as Record<string, unknown>;
  for (const key in error) {
    switch (key) {
      case "code":
      case "message":
      case "details":
        break;
      case "retryable":
        if (typeof error[key] !== "boolean") return false;
        break;
      case "retryAfterMs":
        if (!isCount(error[key])) return false;
        break;
      default:
        return false;
    }
  }
  return isText(error["code"]) && isText(error["message"]);
}

function isStateVersion(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const version = value as Record<string, unknown>;
  for (const key in version) if (key !== "presence" && key !== "health") return false;
  return isCount(version["presence"]) && isCount(version["health"]);
}

function isText(value: unknown, minimum = 1, maximum = Infinity): boolean {
  return typeof value === "string" && value.length >= minimum && value.length <= maximum;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

function idOf(value: object): string {
  const { id } = value as { id?: unknown };
  return typeof id === "string" && id !== "" ? id : "invalid";
}

function invalid(id: string, detail: string): ParsedFrame {
  return { ok: false, id, message: `invalid request frame: ${detail}` };
}
