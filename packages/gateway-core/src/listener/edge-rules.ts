import type { GatewayOptions } from "../gateway-options.ts";
import { GatewayStartError } from "../errors.ts";
import { createOriginRules } from "../handshake/origin-rule.ts";
import type { Whois } from "../auth/tailnet-identity.ts";
import { createAddressList } from "./address-list.ts";
import { createHostRule } from "./host-rule.ts";
import { type OwnHost, createOwnHost } from "./own-host.ts";
import type { RequestRules } from "./request-rules.ts";

/** Everything that decides who may reach the handshake. */
export interface EdgeRules extends RequestRules {
  /** Present when who somebody is on the tailnet may let them in. */
  whois: Whois | undefined;
  /** Whether a host that a peer has dialled is this Gateway's. */
  isOwnHost: OwnHost;
  /** The `Strict-Transport-Security` header of answers over TLS. */
  hsts: string | undefined;
}

/** The options that the rules are made of. */
export type EdgeOptions = Pick<
  GatewayOptions,
  | "auth"
  | "allowedHosts"
  | "allowedOrigins"
  | "allowRealIpFallback"
  | "dangerouslyAllowHostHeaderOrigin"
  | "strictTransportSecurity"
  | "tailnet"
  | "trustedProxies"
>;

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Makes the rules of the options.
 *
 * @throws {GatewayStartError} `OPTIONS_INVALID`, naming the option and the entry
 */
export function resolveEdge(options: EdgeOptions): EdgeRules {
  const { auth, strictTransportSecurity: hsts } = options;
  const originRules = createOriginRules(
    options.allowedOrigins ?? [],
    options.dangerouslyAllowHostHeaderOrigin ?? false,
  );
  const named = createHostRule(options.allowedHosts ?? []);
  const trustedProxies = createAddressList("trustedProxies", options.trustedProxies ?? []);
  const identityHeaders =
    auth.mode === "trusted-proxy" ? [auth.userHeader, ...(auth.requiredHeaders ?? [])] : [];
  for (const name of identityHeaders) requireHeaderName(name);
  if (auth.mode === "trusted-proxy" && trustedProxies.isEmpty) {
    throw new GatewayStartError(
      "OPTIONS_INVALID",
      "auth.mode is trusted-proxy, and trustedProxies is empty",
      { hint: "List the addresses of the proxy in trustedProxies." },
    );
  }
  if (hsts !== undefined && !/^max-age=\d+(;[ \w=-]*)*$/i.test(hsts)) {
    throw new GatewayStartError(
      "OPTIONS_INVALID",
      `strictTransportSecurity is ${JSON.stringify(hsts)}: not a value of that header`,
      { hint: 'Write for example "max-age=31536000".' },
    );
  }
  return {
    originRules,
    hostRule: {
      // A page that is allowed to connect may be served from here too. Who lets the name that a
      // request was sent to decide has given up the protection against rebinding, and was told so.
      allows: (host) =>
        named.allows(host) || originRules.allowsHost(host) || originRules.allowsHostHeaderOrigin,
    },
    proxyTrust: {
      trustedProxies,
      allowRealIpFallback: options.allowRealIpFallback ?? false,
      isBehindTailscale: options.tailnet !== undefined,
      identityHeaders: new Set(identityHeaders.map((name) => name.toLowerCase())),
    },
    whois: options.tailnet?.whois,
    isOwnHost: createOwnHost((name) => named.allows(name) || originRules.allowsHost(name)),
    hsts,
  };
}

function requireHeaderName(name: unknown): void {
  if (typeof name === "string" && HEADER_NAME.test(name)) return;
  throw new GatewayStartError(
    "OPTIONS_INVALID",
    `auth.userHeader and auth.requiredHeaders must name headers, not ${JSON.stringify(name)}`,
    { hint: "Write for example X-Forwarded-User." },
  );
}
