import type { IncomingMessage } from "node:http";
import { type OriginRules, checkOrigin } from "../handshake/origin-rule.ts";
import type { Rejection } from "./http-answer.ts";
import type { HostRule } from "./host-rule.ts";
import {
  type ForwardingProblem,
  type PeerOrigin,
  type ProxyTrust,
  attribute,
} from "./peer-address.ts";
import { credentialInUrl } from "./url-credentials.ts";

/** What a request is judged by before any work is done for it. */
export interface RequestRules {
  proxyTrust: ProxyTrust;
  hostRule: HostRule;
  originRules: OriginRules;
}

export type RequestVerdict = { ok: true; origin: PeerOrigin } | { ok: false; rejection: Rejection };

/** A refused request, as the log shows it. None of it is the URL, in which a secret may stand. */
export interface RefusedRequest {
  rejection: Rejection;
  /** Of the TCP peer. */
  address: string | undefined;
  browserOrigin: string | undefined;
  host: string | undefined;
}

export function refusedRequest(request: IncomingMessage, rejection: Rejection): RefusedRequest {
  const { origin, host } = request.headers;
  return { rejection, address: request.socket.remoteAddress, browserOrigin: origin, host };
}

/**
 * Judges an upgrade: no credential in the URL, a known source, and, for a browser, a known name and
 * an allowed page. A program that is no browser may call this machine what it likes.
 */
export function judgeUpgrade(request: IncomingMessage, rules: RequestRules): RequestVerdict {
  const verdict = judgeSource(request, rules);
  if (!verdict.ok || !verdict.origin.isBrowser) return verdict;
  const { origin } = verdict;
  // The page that is listed is trusted, whatever name it found us by.
  if (!rules.originRules.isListed(origin.browserOrigin) && !isKnownHost(origin, rules))
    return { ok: false, rejection: unknownHost(origin) };
  if (origin.browserOrigin === undefined || checkOrigin(origin, undefined, rules.originRules).ok)
    return verdict;
  return {
    ok: false,
    rejection: {
      status: 403,
      type: "origin_not_allowed",
      message: "origin not allowed (list it in gateway.controlUi.allowedOrigins)",
    },
  };
}

/**
 * Judges a request for a page or for data. A browser does not say where such a request comes from
 * when the page is of the same name, so the name is always looked at.
 */
export function judgeRequest(request: IncomingMessage, rules: RequestRules): RequestVerdict {
  const verdict = judgeSource(request, rules);
  if (!verdict.ok || isKnownHost(verdict.origin, rules)) return verdict;
  return { ok: false, rejection: unknownHost(verdict.origin) };
}

/** Refuses a URL that carries a credential. */
export function judgeUrl(request: IncomingMessage): Rejection | undefined {
  const parameter = credentialInUrl(request.url ?? "/");
  return parameter === undefined
    ? undefined
    : {
        status: 400,
        type: "credentials_in_url",
        message: `no credential is taken from a URL (${parameter}): send it in the connect request or an Authorization header, and replace it, since URLs are logged`,
      };
}

function judgeSource(request: IncomingMessage, rules: RequestRules): RequestVerdict {
  const rejection = judgeUrl(request);
  if (rejection) return { ok: false, rejection };
  const attribution = attribute(request, rules.proxyTrust);
  if (attribution.ok) return attribution;
  return { ok: false, rejection: PROBLEMS[attribution.problem] };
}

const PROBLEMS: Readonly<Record<ForwardingProblem, Rejection>> = {
  untrusted: {
    status: 403,
    type: "proxy_attribution_required",
    message: "proxy headers from an untrusted source (list the proxy in gateway.trustedProxies)",
  },
  unknown: {
    status: 403,
    type: "proxy_attribution_required",
    message: "the proxy does not say whom it forwards for (have it set X-Forwarded-For)",
  },
  contradiction: {
    status: 400,
    type: "proxy_attribution_invalid",
    message: "X-Forwarded-For and Forwarded name different clients (have the proxy remove one)",
  },
  malformed: {
    status: 400,
    type: "proxy_attribution_invalid",
    message: "the forwarding headers cannot be read",
  },
};

function isKnownHost(origin: PeerOrigin, { hostRule }: RequestRules): boolean {
  // A trusted proxy that says which name was asked for decides by itself which names it serves.
  return origin.proxyHeaders["x-forwarded-host"] !== undefined || hostRule.allows(origin.host);
}

function unknownHost({ host }: PeerOrigin): Rejection {
  const shown = JSON.stringify((host ?? "").slice(0, 100));
  return {
    status: 421,
    type: "host_not_allowed",
    message: `this Gateway is not known as ${shown} (use its address, or list the page's origin in gateway.controlUi.allowedOrigins)`,
  };
}
