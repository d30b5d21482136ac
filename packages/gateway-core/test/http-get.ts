import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { request as tlsRequest } from "node:https";

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
  /** `error.type` of a JSON body. */
  type: string | undefined;
}

interface HttpOptions {
  headers?: Record<string, string>;
  /** The certificate to trust, in PEM. */
  ca?: string;
}

/** A GET with whatever headers, `Host` among them, which fetch would not let through. */
export function httpGet(url: string, options: HttpOptions = {}): Promise<HttpAnswer> {
  return answerOf(send(url, options));
}

/** The answer to a WebSocket upgrade: 101, or why not. */
export function httpUpgrade(url: string, options: HttpOptions = {}): Promise<HttpAnswer> {
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...options.headers,
  };
  return answerOf(send(url, { ...options, headers }));
}

function send(url: string, { headers = {}, ca }: HttpOptions): ClientRequest {
  const http = url.replace(/^ws/, "http");
  const start = http.startsWith("https:") ? tlsRequest : request;
  return start(http, { headers, agent: false, ...(ca === undefined ? {} : { ca }) });
}

function answerOf(sent: ClientRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("upgrade", ({ headers }, socket) => {
      socket.destroy();
      resolve({ status: 101, headers, body: "", type: undefined });
    });
    sent.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text));
      response.on("end", () => {
        const type = /"type":"(\w+)"/.exec(body)?.[1];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, type });
      });
    });
    sent.end();
  });
}
