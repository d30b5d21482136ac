import type { JsonObject } from "@openclaw/config";
import { at, type AuditFacts, type Check, listAt, textAt } from "../audit-facts.ts";
import { finding, type Finding, type Severity } from "../finding.ts";
import { activeSecrets, bindOf, isExposed, isUiOn } from "./gateway-facts.ts";

const SHORTEST_SECRET = 24;
const PLACEHOLDERS = new Set(["undefined", "null", "changeme", "change-me", "token", "password"]);
/** Guesses a minute that a limit should not let through. */
const MOST_GUESSES_A_MINUTE = 60;
/** Commands that act for a person, or show what that person sees. */
const DANGEROUS_COMMANDS =
  /^(?:system\.run|camera\.|screen\.|sms\.|contacts\.|calendar\.|location\.|browser\.proxy|canvas\.eval)/u;

/** Who may reach the Gateway, and what it asks of them. */
export const gatewayChecks: readonly Check[] = [
  noAuth,
  secrets,
  tailscale,
  controlUi,
  proxies,
  throttling,
  httpEndpoints,
  nodeCommands,
  discovery,
  clientSecret,
  dangerousFlags,
];

function noAuth({ config, env }: AuditFacts): Finding[] {
  const bind = bindOf(config);
  const { mode, token, password } = activeSecrets(config, env);
  if (mode === "trusted-proxy") return [];
  const hasSecret = mode !== "none" && (token ?? password) !== undefined;
  if (hasSecret) return [];
  if (bind !== "loopback") {
    return [
      finding(
        "gateway.bind_no_auth",
        "critical",
        "The Gateway listens beyond this machine, and asks for no secret",
        `gateway.bind is ${bind}, and neither a token nor a password is set.`,
        "Set gateway.auth.token or gateway.auth.password, or set gateway.bind to loopback.",
      ),
    ];
  }
  // Mode none asks nobody; with a password, Tailscale vouches only where the config says so.
  const allowTailscale = at(config, "gateway.auth.allowTailscale") ?? mode === "token";
  const isVouchedFor =
    textAt(config, "gateway.tailscale.mode") === "serve" &&
    mode !== "none" &&
    allowTailscale === true;
  if (!isUiOn(config) || isVouchedFor) return [];
  return [
    finding(
      "gateway.loopback_no_auth",
      "critical",
      "Whatever reaches loopback needs no secret that you chose",
      mode === "none"
        ? "gateway.auth.mode is none: every program on this machine is let in, and everything that a proxy forwards."
        : "No token and no password is set: each run makes a token of its own, which ends with it.",
      "Set gateway.auth.token or gateway.auth.password.",
    ),
  ];
}

function secrets({ config, literals, env }: AuditFacts): Finding[] {
  const { token, password } = activeSecrets(config, env);
  const findings: Finding[] = [];
  for (const [name, value] of [
    ["token", token],
    ["password", password],
  ] as const) {
    if (value === undefined) continue;
    if (PLACEHOLDERS.has(value.toLowerCase())) {
      findings.push(
        finding(
          `gateway.${name}_placeholder_value`,
          "critical",
          `The Gateway's ${name} is a placeholder`,
          `gateway.auth.${name} holds a word that stands in examples or comes from a script gone wrong.`,
          `Make a random one: openssl rand -hex 24`,
        ),
      );
    } else if (value.length < SHORTEST_SECRET) {
      findings.push(
        finding(
          `gateway.${name}_too_short`,
          "warn",
          `The Gateway's ${name} is short`,
          `It has ${value.length} characters; ${SHORTEST_SECRET} are advised.`,
          `Make a longer one at random: openssl rand -hex 24`,
        ),
      );
    }
  }
  if (textAt(literals, "gateway.auth.password") !== undefined) {
    findings.push(
      finding(
        "config.secrets.gateway_password_in_config",
        "warn",
        "The Gateway's password stands in the config file",
        "gateway.auth.password holds the password itself.",
        "Put it into OPENCLAW_GATEWAY_PASSWORD, and write ${OPENCLAW_GATEWAY_PASSWORD} or nothing there.",
      ),
    );
  }
  return findings;
}

function tailscale({ config, env }: AuditFacts): Finding[] {
  const mode = textAt(config, "gateway.tailscale.mode");
  if (mode === "serve") {
    return [
      finding(
        "gateway.tailscale_serve",
        "info",
        "The Gateway is served to your tailnet",
        "gateway.tailscale.mode is serve: everybody in the tailnet reaches it.",
      ),
    ];
  }
  if (mode !== "funnel") return [];
  const findings = [
    finding(
      "gateway.tailscale_funnel",
      "critical",
      "The Gateway is on the public internet",
      "gateway.tailscale.mode is funnel.",
      "Prefer serve, which stays in the tailnet, or off. If it must be public, use a long password, and only for as long as needed.",
    ),
  ];
  if (activeSecrets(config, env).mode !== "password") {
    findings.push(
      finding(
        "gateway.tailscale_funnel_no_password",
        "critical",
        "Funnel without a password",
        "gateway.tailscale.mode is funnel, and gateway.auth.mode is not password. The Gateway refuses to start so.",
        "Set gateway.auth.mode to password and OPENCLAW_GATEWAY_PASSWORD.",
      ),
    );
  }
  return findings;
}

function controlUi({ config }: AuditFacts): Finding[] {
  const findings: Finding[] = [];
  if (at(config, "gateway.controlUi.allowInsecureAuth") === true) {
    findings.push(
      finding(
        "gateway.control_ui.insecure_auth",
        "critical",
        "The web page may log in with a token alone, over plain HTTP",
        "gateway.controlUi.allowInsecureAuth is true.",
        "Turn it off; open the page over HTTPS or on localhost.",
      ),
    );
  }
  if (at(config, "gateway.controlUi.dangerouslyDisableDeviceAuth") === true) {
    findings.push(
      finding(
        "gateway.control_ui.device_auth_disabled",
        "critical",
        "The web page needs no paired device",
        "gateway.controlUi.dangerouslyDisableDeviceAuth is true.",
        "Turn it off.",
      ),
    );
  }
  if (!isUiOn(config)) return findings;
  const origins = listAt(config, "gateway.controlUi.allowedOrigins");
  const hasFallback =
    at(config, "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback") === true;
  const severity = severityByExposure(config);
  if (bindOf(config) !== "loopback" && origins.length === 0 && !hasFallback) {
    findings.push(
      finding(
        "gateway.control_ui.allowed_origins_required",
        "critical",
        "No page is listed that may use this Gateway",
        `gateway.bind is ${bindOf(config)}, and gateway.controlUi.allowedOrigins is empty.`,
        "List the origins that you open the page from, such as https://gateway.example.",
      ),
    );
  }
  if (origins.includes("*")) {
    findings.push(
      finding(
        "gateway.control_ui.allowed_origins_wildcard",
        severity,
        "Every web page may talk to this Gateway",
        "gateway.controlUi.allowedOrigins contains *.",
        "List exact origins instead.",
      ),
    );
  }
  if (hasFallback) {
    findings.push(
      finding(
        "gateway.control_ui.host_header_origin_fallback",
        severity,
        "A page's origin is believed because the request says the same name",
        "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback is true: a name that is made to point here gets in.",
        "Turn it off, and list origins in gateway.controlUi.allowedOrigins.",
      ),
    );
  }
  return findings;
}

function proxies({ config, env }: AuditFacts): Finding[] {
  const findings: Finding[] = [];
  const trusted = listAt(config, "gateway.trustedProxies");
  if (bindOf(config) === "loopback" && isUiOn(config) && trusted.length === 0) {
    findings.push(
      finding(
        "gateway.trusted_proxies_missing",
        "warn",
        "A proxy in front would not be trusted",
        "gateway.trustedProxies is empty: what a reverse proxy forwards is refused.",
        "List the proxy's address there, or keep the web page to this machine.",
      ),
    );
  }
  if (at(config, "gateway.allowRealIpFallback") === true) {
    findings.push(
      finding(
        "gateway.real_ip_fallback_enabled",
        severityByExposure(config),
        "X-Real-IP is believed",
        "gateway.allowRealIpFallback is true: a proxy that passes the header on lets clients choose their address.",
        "Turn it off, and let the proxy set X-Forwarded-For.",
      ),
    );
  }
  if (activeSecrets(config, env).mode !== "trusted-proxy") return findings;
  findings.push(
    finding(
      "gateway.trusted_proxy_auth",
      "critical",
      "A proxy decides who gets in",
      "gateway.auth.mode is trusted-proxy: whoever reaches the Gateway from a listed address can claim to be anybody.",
      "Make sure that only the proxy reaches the port, and that it overwrites the user's header.",
    ),
  );
  const rules: [id: string, severity: Severity, fires: boolean, detail: string, cure: string][] = [
    [
      "gateway.trusted_proxy_no_proxies",
      "critical",
      trusted.length === 0,
      "gateway.trustedProxies is empty.",
      "List the proxy's address there.",
    ],
    [
      "gateway.trusted_proxy_no_user_header",
      "critical",
      textAt(config, "gateway.auth.trustedProxy.userHeader") === undefined,
      "gateway.auth.trustedProxy.userHeader is not set.",
      "Name the header in which the proxy tells the user.",
    ],
    [
      "gateway.trusted_proxy_no_allowlist",
      "warn",
      listAt(config, "gateway.auth.trustedProxy.allowUsers").length === 0,
      "gateway.auth.trustedProxy.allowUsers is empty: every user of the proxy is let in.",
      "List the users that may come in.",
    ],
    [
      "gateway.trusted_proxy_allow_loopback",
      "warn",
      at(config, "gateway.auth.trustedProxy.allowLoopback") === true,
      "gateway.auth.trustedProxy.allowLoopback is true: every program on this machine can be the proxy.",
      "Turn it off; let the proxy come from an address of its own.",
    ],
  ];
  for (const [id, severity, fires, detail, cure] of rules) {
    if (fires) findings.push(finding(id, severity, "Trusted proxy", detail, cure));
  }
  return findings;
}

function throttling({ config }: AuditFacts): Finding[] {
  const attempts = at(config, "gateway.auth.rateLimit.maxAttempts");
  const windowMs = at(config, "gateway.auth.rateLimit.windowMs");
  const perMinute =
    (typeof attempts === "number" ? attempts : 10) /
    ((typeof windowMs === "number" ? windowMs : 60_000) / 60_000);
  if (!isExposed(config) || perMinute <= MOST_GUESSES_A_MINUTE) return [];
  return [
    finding(
      "gateway.auth_no_rate_limit",
      "warn",
      "Guessing is hardly slowed down",
      `gateway.auth.rateLimit lets ${Math.round(perMinute)} wrong secrets a minute through, and the Gateway is reachable from elsewhere.`,
      "Leave gateway.auth.rateLimit at its defaults.",
    ),
  ];
}

function httpEndpoints({ config, env }: AuditFacts): Finding[] {
  const isOn =
    at(config, "gateway.http.endpoints.chatCompletions.enabled") === true ||
    at(config, "gateway.http.endpoints.responses.enabled") === true;
  if (!isOn || activeSecrets(config, env).mode !== "none") return [];
  return [
    finding(
      "gateway.http.no_auth",
      severityByExposure(config),
      "HTTP endpoints without authentication",
      "gateway.http.endpoints are on, and gateway.auth.mode is none.",
      "Set gateway.auth.token.",
    ),
  ];
}

function nodeCommands({ config }: AuditFacts): Finding[] {
  const allow = [
    ...listAt(config, "gateway.nodes.allowCommands"),
    ...listAt(config, "gateway.nodes.commands.allow"),
  ];
  const deny = [
    ...listAt(config, "gateway.nodes.denyCommands"),
    ...listAt(config, "gateway.nodes.commands.deny"),
  ];
  const findings: Finding[] = [];
  const dangerous = allow.filter((name) => DANGEROUS_COMMANDS.test(name) && !deny.includes(name));
  if (dangerous.length > 0) {
    findings.push(
      finding(
        "gateway.nodes.allow_commands_dangerous",
        severityByExposure(config),
        "Nodes may offer more than their platform does by default",
        `gateway.nodes allows ${dangerous.join(", ")}.`,
        "Take out what you do not use.",
      ),
    );
  }
  const patterns = deny.filter((name) => !/^[a-zA-Z][\w-]*(?:\.[\w-]+)+$/u.test(name));
  if (patterns.length > 0) {
    findings.push(
      finding(
        "gateway.nodes.deny_commands_ineffective",
        "warn",
        "An entry of the deny list denies nothing",
        `gateway.nodes denies ${patterns.map((name) => JSON.stringify(name)).join(", ")}; entries are exact command names.`,
        "Write whole names, such as system.run.",
      ),
    );
  }
  return findings;
}

function discovery({ config }: AuditFacts): Finding[] {
  if (textAt(config, "discovery.mdns.mode") !== "full") return [];
  return [
    finding(
      "discovery.mdns_full_mode",
      severityByExposure(config),
      "Your network is told the SSH port and the path of the program",
      "discovery.mdns.mode is full.",
      "Set it to minimal.",
    ),
  ];
}

function clientSecret({ config, env }: AuditFacts): Finding[] {
  const { token, password } = activeSecrets(config, env);
  const isLocal = textAt(config, "gateway.mode") === "local";
  const hasRemote = textAt(config, "gateway.remote.token") !== undefined;
  if (!isLocal || !hasRemote || (token ?? password) !== undefined) return [];
  return [
    finding(
      "gateway.remote_token_as_local_auth",
      "warn",
      "gateway.remote.token does not protect this Gateway",
      "gateway.mode is local, gateway.remote.token is set, and gateway.auth has no secret. The remote token is what this machine's commands send elsewhere.",
      "Set gateway.auth.token.",
    ),
  ];
}

function dangerousFlags({ config }: AuditFacts): Finding[] {
  const names = flagsNamed(config, /^(?:dangerously|insecure|allowInsecure)/u);
  if (names.length === 0) return [];
  return [
    finding(
      "config.insecure_or_dangerous_flags",
      "warn",
      "Switches that weaken security are on",
      names.join(", "),
      "Turn off what you do not need.",
    ),
  ];
}

/** Dotted paths of all keys of such a name that are `true`. */
function flagsNamed(object: JsonObject, name: RegExp, path = ""): string[] {
  return Object.entries(object).flatMap(([key, value]) => {
    const here = path === "" ? key : `${path}.${key}`;
    if (value === true) return name.test(key) ? [here] : [];
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    // Checked to be an object; what it holds is read as unknown.
    return isObject ? flagsNamed(value as JsonObject, name, here) : [];
  });
}

function severityByExposure(config: JsonObject): Severity {
  return isExposed(config) ? "critical" : "warn";
}
