import type { IncomingMessage, ServerResponse } from "node:http";

export interface ProbeFacts {
  version: string;
  uptimeMs: number;
  /** Why work cannot be taken: `starting`, `draining`; empty when all is well. */
  failing: string[];
  started: boolean;
}

const LIVE = new Set(["/health", "/healthz"]);
const READY = new Set(["/ready", "/readyz"]);
const STARTUP = new Set(["/startup", "/startupz"]);

/** Whether a request is for `/healthz`, `/readyz`, `/startupz` or one of their short names. */
export function isProbe(request: IncomingMessage): boolean {
  const path = pathOf(request);
  return LIVE.has(path) || READY.has(path) || STARTUP.has(path);
}

/** Answers a probe. Details are for callers on this machine; others learn yes or no. */
export function answerProbe(
  request: IncomingMessage,
  response: ServerResponse,
  facts: () => ProbeFacts,
  isLocal: boolean,
): void {
  const path = pathOf(request);
  response.setHeader("Cache-Control", "no-store");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { Allow: "GET, HEAD" }).end();
    return;
  }
  const { version, uptimeMs, failing, started } = facts();
  const ready = failing.length === 0;
  if (LIVE.has(path)) answer(request, response, 200, { ok: true, status: "live" });
  else if (READY.has(path)) {
    const body = isLocal ? { ready, failing, uptimeMs } : { ready };
    answer(request, response, ready ? 200 : 503, body);
  } else if (started) {
    answer(request, response, 200, { ok: true, status: "started", version, uptimeMs });
  } else {
    answer(request, response, 503, { ok: false, status: "starting", pendingReason: "starting" });
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: object,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(request.method === "HEAD" ? undefined : text);
}
