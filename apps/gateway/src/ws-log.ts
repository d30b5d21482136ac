import type { Logger } from "@openclaw/app-kit";
import type { GatewayOptions } from "@openclaw/gateway-core";
import type { WsLogChoice } from "./run-flags.ts";

/** A peer that asks faster than it is answered is not remembered without end. */
const MAX_OPEN_REQUESTS = 10_000;

/** What may be told of a frame: its kind, its names and its size, and nothing that it carries. */
interface FrameFacts {
  readonly kind: "req" | "res" | "event" | "other";
  readonly id?: string;
  /** Of a request its method, of an event its name. */
  readonly name?: string;
  readonly ok?: boolean;
  /** Of an error. */
  readonly code?: string;
  readonly bytes: number;
}

interface OpenRequest {
  readonly method: string;
  readonly atMs: number;
}

/**
 * Hooks that log the traffic of accepted peers: `full` each frame, `compact` each request when it is
 * answered. Parameters, results and payloads are never logged, for they hold secrets.
 */
export function wsLogHooks(
  { style, level }: WsLogChoice,
  logger: Logger,
  now: () => number = Date.now,
): NonNullable<GatewayOptions["hooks"]> {
  if (style === "off") return {};
  if (style === "full") {
    const logFrame = (direction: "in" | "out") => (text: string, connId?: string) =>
      logger[level]({ connId, direction, ...factsOf(text) }, "frame");
    return { frameReceived: logFrame("in"), frameSent: logFrame("out") };
  }
  const open = new Map<string, OpenRequest>();
  return {
    frameReceived(text, connId) {
      const { kind, id, name } = factsOf(text);
      if (kind !== "req" || id === undefined || open.size >= MAX_OPEN_REQUESTS) return;
      open.set(`${connId} ${id}`, { method: name ?? "?", atMs: now() });
    },
    frameSent(text, connId) {
      const { kind, id, ok, code, bytes } = factsOf(text);
      if (kind !== "res" || id === undefined) return;
      const key = `${connId} ${id}`;
      const request = open.get(key);
      if (request === undefined) return;
      open.delete(key);
      const { method, atMs } = request;
      logger[level]({ connId, method, ok, code, tookMs: now() - atMs, bytes }, "request answered");
    },
  };
}

function factsOf(text: string): FrameFacts {
  const bytes = Buffer.byteLength(text);
  let frame: Record<string, unknown>;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return { kind: "other", bytes };
    frame = { ...value };
  } catch {
    return { kind: "other", bytes };
  }
  const { type, error } = frame;
  if (type !== "req" && type !== "res" && type !== "event") return { kind: "other", bytes };
  const name = textOf(type === "req" ? frame["method"] : frame["event"]);
  const id = textOf(frame["id"]);
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  return {
    kind: type,
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    ...(typeof frame["ok"] === "boolean" ? { ok: frame["ok"] } : {}),
    ...(typeof code === "string" && code !== "" ? { code } : {}),
    bytes,
  };
}

/** A peer chooses these; what is no short name is not repeated. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[\w.:-]{1,80}$/.test(value) ? value : undefined;
}
