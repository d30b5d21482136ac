import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** A request that is refused before anything is done for it. */
export interface Rejection {
  status: number;
  /** Stands in `error.type`; never renamed. */
  type: string;
  message: string;
  headers?: Readonly<Record<string, string>>;
}

/** On every answer. Nothing that the Gateway answers by itself is to be framed, sniffed or scripted. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "X-Frame-Options": "DENY",
  "Content-Security-Policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Permissions-Policy":
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** How long a peer that was refused may take to hang up. */
const LINGER_MS = 1_000;

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  408: "Request Timeout",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
};

/** The headers of an answer; `hsts` counts only over TLS, as RFC 6797 §7.2 wants it. */
function securityHeaders(isTls: boolean, hsts: string | undefined): Record<string, string> {
  if (!isTls || hsts === undefined) return { ...SECURITY_HEADERS };
  return { ...SECURITY_HEADERS, "Strict-Transport-Security": hsts };
}

export function setSecurityHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  hsts: string | undefined,
): void {
  for (const [name, value] of Object.entries(securityHeaders(isTls(request.socket), hsts)))
    response.setHeader(name, value);
}

/** Refuses a request; the security headers are set already. */
export function answerRejection(response: ServerResponse, rejection: Rejection): void {
  const text = bodyOf(rejection);
  response.writeHead(rejection.status, {
    Connection: "close",
    "Cache-Control": "no-store",
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
    ...rejection.headers,
  });
  response.end(text);
}

/** Refuses an upgrade, whose socket no http response belongs to. */
export function rejectUpgrade(
  socket: Duplex,
  rejection: Rejection,
  hsts: string | undefined,
): void {
  const { status } = rejection;
  const text = bodyOf(rejection);
  const headers = {
    Connection: "close",
    "Cache-Control": "no-store",
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": `${Buffer.byteLength(text)}`,
    ...securityHeaders(isTls(socket), hsts),
    ...rejection.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  endWith(
    socket,
    `HTTP/1.1 ${status} ${STATUS_TEXT[status]}\r\n${lines.join("\r\n")}\r\n\r\n${text}`,
  );
}

/**
 * Sends the last that a peer hears, and sees to it that the socket ends, also when the peer keeps
 * its half open. What it still sends is read, so that the answer is not lost to a reset.
 */
export function endWith(socket: Duplex, text: string): void {
  const patience = setTimeout(() => socket.destroy(), LINGER_MS);
  patience.unref();
  socket.on("error", () => {});
  socket.once("close", () => clearTimeout(patience));
  socket.resume();
  socket.end(text);
}

function bodyOf({ message, type }: Rejection): string {
  return JSON.stringify({ error: { message, type } });
}

function isTls(socket: Duplex): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}
