import type { IncomingHttpHeaders } from "node:http";
import { isObject, safeText } from "@openclaw/app-kit";
import { type ConnectFaultCode, fault } from "./faults.ts";
import { goTo, type Trail } from "./trail.ts";

/** An HTTP answer to the request for a WebSocket, other than 101, and what was found out about it. */
export interface HttpRefusal {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** A Gateway answers at the same place, where no WebSocket is asked for. */
  readonly isGateway: boolean;
  readonly readiness: Readiness | undefined;
  /** Who listens there, where it is a port of this machine. */
  readonly holders: readonly string[] | undefined;
}

/** What `/readyz` says. */
export interface Readiness {
  readonly isReady: boolean;
  readonly failing: readonly string[];
}

interface Verdict {
  readonly code: ConnectFaultCode;
  readonly message: string;
  readonly fix: string;
  readonly hint?: string;
}

const SHOWN_CHARS = 300;

const PASS_UPGRADE =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";';

/** Why there is an HTTP answer where a WebSocket was asked for. Pure. */
export function explainHttpRefusal(trail: Trail, refusal: HttpRefusal): Error {
  const { status, headers, holders, readiness } = refusal;
  const own = ownError(refusal.body);
  const verdict =
    (own === undefined ? undefined : ofGateway(trail, refusal, own)) ?? ofOthers(trail, refusal);
  return fault(verdict.code, verdict.message, {
    at: "upgrade",
    evidence: {
      httpStatus: status,
      type: own?.type,
      said: own?.message,
      server: textOf(headers.server),
      // What stands behind the path may be somebody's secret.
      location: textOf(headers.location)?.replace(/[?#].*$/su, ""),
      retryAfter: textOf(headers["retry-after"]),
      failing: readiness?.failing.length === 0 ? undefined : readiness?.failing,
      holders,
    },
    fix: verdict.fix,
    hint: verdict.hint,
  });
}

/** The Gateway refused by itself, and says why. */
function ofGateway(
  trail: Trail,
  { status, headers, readiness }: HttpRefusal,
  { type, message }: OwnError,
): Verdict | undefined {
  const { context } = trail;
  switch (type) {
    case "proxy_attribution_required":
      return {
        code: "PROXY_NOT_TRUSTED",
        message: "the Gateway does not trust the proxy in front of it.",
        fix: `openclaw config set gateway.trustedProxies '["<address of the proxy>"]'`,
        hint: "On the Gateway's machine; 127.0.0.1 where the proxy runs there too. The proxy has to set X-Forwarded-For.",
      };
    case "proxy_attribution_invalid":
      return {
        code: "PROXY_HEADERS_INVALID",
        message: "the Gateway cannot read the forwarding headers of the proxy.",
        fix: 'proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Forwarded "";',
        hint: "In the proxy: one of the two headers, with an address in it.",
      };
    case "origin_not_allowed":
      return {
        code: "ORIGIN_REFUSED",
        message: "the Gateway does not let pages of that origin connect.",
        fix: `openclaw config set gateway.controlUi.allowedOrigins '["<https://the.page>"]'`,
        hint: "On the Gateway's machine. Programs send no Origin: without --origin a proxy has added one.",
      };
    case "host_not_allowed":
      return {
        code: "HOST_REFUSED",
        message: "the Gateway does not go by the name that it was asked for.",
        fix: `openclaw config set gateway.controlUi.allowedOrigins '["https://<the name>"]'`,
        hint: "On the Gateway's machine; or have the proxy pass the Host on that the browser sent.",
      };
    case "upgrade_required":
      return noUpgrade(status);
    case "rate_limited":
      return {
        code: "RATE_LIMITED",
        message: `the Gateway takes no connection from this address for ${textOf(headers["retry-after"]) ?? "some"} s, after failed attempts.`,
        fix: context.commandLine("doctor connect"),
        hint: "Again after that time, and with the right credential.",
      };
    case "unavailable":
      return readiness?.isReady === false
        ? draining()
        : busy(context.commandLine("doctor connect"));
    default:
      return {
        code: "HANDSHAKE_REJECTED",
        message: `the Gateway refuses the upgrade: ${message}`,
        fix: "openclaw logs",
        hint: "On the Gateway's machine: its log names the reason.",
      };
  }
}

function draining(): Verdict {
  return {
    code: "GATEWAY_DRAINING",
    message: "the Gateway is stopping or starting, and takes no connection meanwhile.",
    fix: "openclaw gateway status",
    hint: "On the Gateway's machine, in a moment.",
  };
}

function busy(fix: string): Verdict {
  return {
    code: "GATEWAY_BUSY",
    message: "the Gateway takes no more connections just now.",
    fix,
    hint: "In a moment. Many handshakes are under way, or it is about to stop.",
  };
}

function noUpgrade(status: number): Verdict {
  return {
    code: "PROXY_WITHOUT_UPGRADE",
    message: `a Gateway is there, but what stands in front of it does not pass the WebSocket on (HTTP ${status} instead of 101).`,
    fix: PASS_UPGRADE,
    hint: "In nginx, in the location of the Gateway; docs/reverse-proxy.md has other proxies.",
  };
}

/** Something in front, or something else altogether. */
function ofOthers(trail: Trail, refusal: HttpRefusal): Verdict {
  const { status, headers, isGateway, readiness } = refusal;
  const { host, pathname } = new URL(trail.gateway.target.url);
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    const place = redirectedTo(trail.gateway.target.url, headers.location);
    return {
      code: "REDIRECTED",
      message: `${host} redirects, which no WebSocket follows.`,
      fix: goTo(trail, place ?? "<the right URL>"),
    };
  }
  if (status === 401 || status === 407 || (status === 403 && !isGateway)) {
    return {
      code: "PROXY_WANTS_LOGIN",
      message: `something in front of ${host} wants a login of its own (HTTP ${status}).`,
      fix: goTo(trail, "me@box"),
      hint: "Take the login off the Gateway's path in that proxy, or go around it through SSH.",
    };
  }
  if (status === 502 || status === 504 || (status === 503 && !isGateway)) {
    return {
      code: "PROXY_UPSTREAM_DOWN",
      message: `the proxy at ${host} answers, and the Gateway behind it does not (HTTP ${status}).`,
      fix: "openclaw gateway start",
      hint: "On the Gateway's machine; or the proxy leads to a wrong port.",
    };
  }
  if (readiness?.isReady === false) return draining();
  if (isGateway) {
    const isElsewhere = pathname !== "/" && status === 404;
    return isElsewhere
      ? { ...noUpgrade(status), hint: `Or the path ${pathname} is not the Gateway's.` }
      : noUpgrade(status);
  }
  return {
    code: "NOT_A_GATEWAY",
    message: `what answers at ${host} is a web server, and not a Gateway (HTTP ${status}).`,
    fix: trail.context.commandLine("gateway status"),
    hint: "Another program holds that port, or the proxy leads somewhere else. On the Gateway's machine that command shows where the Gateway listens.",
  };
}

/** Where a redirect leads, as a Gateway URL. */
function redirectedTo(url: string, location: string): string | undefined {
  const base = url.replace(/^ws/u, "http");
  if (!URL.canParse(location, base)) return undefined;
  const { protocol, host, pathname } = new URL(location, base);
  return `${protocol === "https:" ? "wss" : "ws"}://${host}${pathname === "/" ? "" : pathname}`;
}

interface OwnError {
  readonly type: string;
  readonly message: string;
}

/** The error of a Gateway, in the form that only a Gateway writes. */
function ownError(body: string): OwnError | undefined {
  try {
    const document: unknown = JSON.parse(body);
    const error = isObject(document) ? document["error"] : undefined;
    if (!isObject(error) || typeof error["type"] !== "string") return undefined;
    if (!OWN_TYPES.has(error["type"])) return undefined;
    return { type: error["type"], message: safeText(error["message"]).slice(0, SHOWN_CHARS) };
  } catch {
    return undefined;
  }
}

const OWN_TYPES: ReadonlySet<string> = new Set([
  "proxy_attribution_required",
  "proxy_attribution_invalid",
  "origin_not_allowed",
  "host_not_allowed",
  "upgrade_required",
  "rate_limited",
  "unavailable",
  "credentials_in_url",
]);

function textOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  return text === undefined ? undefined : safeText(text).slice(0, SHOWN_CHARS);
}
