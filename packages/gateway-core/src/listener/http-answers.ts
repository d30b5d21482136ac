import type { IncomingMessage, ServerResponse } from "node:http";
import type { EdgeRules } from "./edge-rules.ts";
import { type Rejection, answerRejection, setSecurityHeaders } from "./http-answer.ts";
import { attribute } from "./peer-address.ts";
import { type ProbeFacts, answerProbe, isProbe } from "./probe-endpoints.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { judgeRequest, judgeUrl, refusedRequest } from "./request-rules.ts";

/** What the Gateway answers over plain HTTP. */
export interface HttpAnswers {
  /** Answers the probe endpoints; false when the request was for something else. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /** Answers every request, for a server that is the Gateway's own. */
  answer(request: IncomingMessage, response: ServerResponse): void;
}

/** Most often a proxy that drops the `Upgrade` header, which is for one hop only, on its way here. */
const NO_UPGRADE: Rejection = {
  status: 426,
  type: "upgrade_required",
  message:
    "this is a WebSocket handshake without an Upgrade header: the proxy in front has to pass Upgrade and Connection on",
  headers: { Connection: "Upgrade, close", Upgrade: "websocket" },
};

export function createHttpAnswers(options: {
  rules: () => EdgeRules;
  onRefused: RefusalLog;
  probeFacts: () => ProbeFacts;
}): HttpAnswers {
  function reject(request: IncomingMessage, response: ServerResponse, rejection: Rejection): void {
    options.onRefused(refusedRequest(request, rejection));
    answerRejection(response, rejection);
  }

  function handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    if (!isProbe(request)) return false;
    const { hsts, proxyTrust } = options.rules();
    setSecurityHeaders(request, response, hsts);
    const rejection = judgeUrl(request);
    if (rejection) {
      reject(request, response, rejection);
      return true;
    }
    // Whoever looks after our health may come from anywhere and by any name, and learns yes or no.
    const attribution = attribute(request, proxyTrust);
    const isLocal = attribution.ok && attribution.origin.isLocal;
    answerProbe(request, response, options.probeFacts, isLocal);
    return true;
  }

  return {
    handleRequest,
    answer(request, response) {
      if (handleRequest(request, response)) return;
      const rules = options.rules();
      setSecurityHeaders(request, response, rules.hsts);
      const verdict = judgeRequest(request, rules);
      if (!verdict.ok) return reject(request, response, verdict.rejection);
      if (request.headers["sec-websocket-key"] !== undefined)
        return reject(request, response, NO_UPGRADE);
      response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("Not Found");
    },
  };
}
