import { createHash, randomBytes } from "node:crypto";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";

/** What came back on a stream that an HTTP request was written to. */
export type HttpAnswer =
  | {
      readonly kind: "switched";
      readonly headers: IncomingHttpHeaders;
      readonly stream: Duplex;
      /** What followed the headers at once. */
      readonly head: Buffer;
    }
  | {
      readonly kind: "http";
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      /** The beginning of it. */
      readonly body: string;
    }
  /** Bytes that are no HTTP. */
  | { readonly kind: "bytes"; readonly bytes: Buffer }
  /** It ended without a byte. */
  | { readonly kind: "closed"; readonly code: string | undefined }
  | { readonly kind: "silent" };

export interface HttpProbeOptions {
  /** The `Host` header. */
  readonly host: string;
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Sent besides; never a credential. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longer than this no answer is read. */
const MAX_BODY_BYTES = 4_096;
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Asks for a WebSocket, with nothing but what the handshake needs. Never rejects, but for the signal. */
export async function askForUpgrade(
  stream: Duplex,
  { headers = {}, ...options }: HttpProbeOptions,
): Promise<HttpAnswer> {
  const key = randomBytes(16).toString("base64");
  const answer = await ask(stream, {
    ...options,
    headers: {
      ...headers,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": key,
    },
  });
  if (answer.kind !== "switched") return answer;
  const accepted = createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
  if (answer.headers["sec-websocket-accept"] === accepted) return answer;
  stream.destroy();
  return { kind: "http", status: 101, headers: answer.headers, body: "" };
}

/** Fetches a page that anybody may see. Never rejects, but for the signal. */
export function fetchPage(stream: Duplex, options: HttpProbeOptions): Promise<HttpAnswer> {
  return ask(stream, options);
}

function ask(
  stream: Duplex,
  { host, path, timeoutMs, signal, headers = {} }: HttpProbeOptions,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => stream,
      path,
      headers: { Host: host, "User-Agent": "openclaw-doctor", ...headers },
      setDefaultHeaders: false,
    });
    let isSettled = false;
    const leave = (): void => {
      isSettled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    };
    const settle = (answer: HttpAnswer): void => {
      if (isSettled) return;
      leave();
      if (answer.kind !== "switched") stream.destroy();
      resolve(answer);
    };
    const abort = (): void => {
      leave();
      stream.destroy();
      // Whoever made the signal aborts it with an error.
      reject(signal.reason as Error);
    };
    /** The answer so far, of one whose body takes its time. */
    let begun: Extract<HttpAnswer, { kind: "http" }> | undefined;
    const timer = setTimeout(() => settle(begun ?? { kind: "silent" }), timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    asked.on("error", (error: Error & { code?: string; rawPacket?: Buffer }) => {
      const { rawPacket, code } = error;
      if (rawPacket !== undefined && rawPacket.length > 0) {
        settle({ kind: "bytes", bytes: rawPacket });
      } else {
        settle({ kind: "closed", code });
      }
    });
    asked.on("upgrade", (response, _socket, head) =>
      settle({ kind: "switched", headers: response.headers, stream, head }),
    );
    asked.on("response", (response) => {
      const { statusCode: status = 0, headers: received } = response;
      const answer = { kind: "http", status, headers: received } as const;
      begun = { ...answer, body: "" };
      void readBody(response).then((body) => settle({ ...answer, body }));
    });
    asked.end();
    if (signal.aborted) abort();
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  let body = "";
  try {
    for await (const chunk of response) {
      body += (chunk as Buffer).toString("latin1");
      if (body.length >= MAX_BODY_BYTES) break;
    }
  } catch {
    // What came until then is what there is.
  }
  return body.slice(0, MAX_BODY_BYTES);
}
