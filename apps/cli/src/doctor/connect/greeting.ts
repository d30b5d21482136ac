import type { Duplex } from "node:stream";
import { isObject } from "@openclaw/app-kit";

/** What a WebSocket server says first. */
export type Greeting =
  | { readonly kind: "challenge"; readonly serverMs: number | undefined }
  /** Another frame, or something that is no frame. */
  | { readonly kind: "other"; readonly text: string }
  | { readonly kind: "closed"; readonly closeCode: number | undefined; readonly reason: string }
  | { readonly kind: "silent" };

/** A greeting is short; more is none. */
const MAX_GREETING_BYTES = 65_536;
const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;

/**
 * Waits for the first text or close frame of a server (RFC 6455 §5.2), and hangs up. Never rejects,
 * but for the signal.
 */
export function readGreeting(
  stream: Duplex,
  head: Buffer,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    let bytes = head;
    const leave = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      stream.removeListener("data", read);
      stream.removeListener("close", closed);
      stream.on("error", () => {});
      stream.destroy();
    };
    const settle = (greeting: Greeting): void => {
      leave();
      resolve(greeting);
    };
    const closed = (): void => settle({ kind: "closed", closeCode: undefined, reason: "" });
    const abort = (): void => {
      leave();
      // Whoever made the signal aborts it with an error.
      reject(signal.reason as Error);
    };
    const look = (): void => {
      const greeting = greetingIn(bytes);
      if (greeting !== undefined) settle(greeting);
    };
    const read = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      look();
    };
    const timer = setTimeout(() => settle({ kind: "silent" }), timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    stream.once("error", closed);
    stream.once("close", closed);
    stream.on("data", read);
    look();
    if (signal.aborted) abort();
  });
}

/** The greeting in what has come so far; undefined while it is not whole. */
function greetingIn(bytes: Buffer): Greeting | undefined {
  let at = 0;
  while (bytes.length >= at + 2) {
    const opcode = (bytes[at] ?? 0) & 0x0f;
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = at + 2 + lengthBytes;
    if (bytes.length < start) return undefined;
    const length =
      lengthBytes === 2
        ? bytes.readUInt16BE(at + 2)
        : lengthBytes === 8
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short;
    if (length > MAX_GREETING_BYTES) return { kind: "other", text: "" };
    if (bytes.length < start + length) return undefined;
    const payload = bytes.subarray(start, start + length);
    if (opcode === OPCODE_CLOSE) return closeIn(payload);
    if (opcode === OPCODE_TEXT) return textIn(payload.toString("utf8"));
    // Pings may come first.
    if (opcode < OPCODE_CLOSE) return { kind: "other", text: "" };
    at = start + length;
  }
  return undefined;
}

function closeIn(payload: Buffer): Greeting {
  if (payload.length < 2) return { kind: "closed", closeCode: undefined, reason: "" };
  const reason = payload.subarray(2).toString("utf8");
  return { kind: "closed", closeCode: payload.readUInt16BE(0), reason };
}

function textIn(text: string): Greeting {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return { kind: "other", text };
  }
  if (!isObject(frame) || frame["event"] !== "connect.challenge") return { kind: "other", text };
  const { ts } = isObject(frame["payload"]) ? frame["payload"] : {};
  return { kind: "challenge", serverMs: typeof ts === "number" ? ts : undefined };
}
