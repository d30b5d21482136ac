import { type AuditFacts, at, type Check, entriesAt, listAt, textAt } from "../audit-facts.ts";
import { finding, type Finding } from "../finding.ts";
import { activeSecrets } from "./gateway-facts.ts";

const SHORTEST_TOKEN = 24;

/** Hooks, browser, logs and extensions. */
export const programChecks: readonly Check[] = [hooks, browser, logs, extensions];

function hooks({ config, literals, env }: AuditFacts): Finding[] {
  if (at(config, "hooks.enabled") !== true) return [];
  const findings: Finding[] = [];
  const token = textAt(config, "hooks.token");
  if (textAt(literals, "hooks.token") !== undefined) {
    findings.push(
      finding(
        "config.secrets.hooks_token_in_config",
        "info",
        "The hooks' token stands in the config file",
        "hooks.token holds the token itself.",
        "Write ${A_VARIABLE} there, or keep the file at mode 600.",
      ),
    );
  }
  if (token !== undefined && token.length < SHORTEST_TOKEN) {
    findings.push(
      finding(
        "hooks.token_too_short",
        "warn",
        "The hooks' token is short",
        `It has ${token.length} characters; ${SHORTEST_TOKEN} are advised.`,
        "Make a longer one at random: openssl rand -hex 24",
      ),
    );
  }
  const gateway = activeSecrets(config, env);
  if (token !== undefined && (token === gateway.token || token === gateway.password)) {
    findings.push(
      finding(
        "hooks.token_reuse_gateway_token",
        "warn",
        "Hooks and the Gateway share a secret",
        "Whoever may call a hook may do everything.",
        "Give hooks.token a value of its own.",
      ),
    );
  }
  if ((textAt(config, "hooks.path") ?? "/hooks").replace(/\/+$/u, "") === "") {
    findings.push(
      finding(
        "hooks.path_root",
        "critical",
        "Hooks answer on every path",
        "hooks.path is /.",
        "Set it to a path of its own, such as /hooks.",
      ),
    );
  }
  return findings;
}

function browser({ config }: AuditFacts): Finding[] {
  const urls = [
    ["browser.cdpUrl", textAt(config, "browser.cdpUrl")] as const,
    ...entriesAt(config, "browser.profiles").map(
      ([name, profile]) => [`browser.profiles.${name}.cdpUrl`, textAt(profile, "cdpUrl")] as const,
    ),
  ];
  return urls.flatMap(([path, text]) => {
    if (text === undefined) return [];
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !["http:", "https:", "ws:", "wss:"].includes(url.protocol)) {
      return [
        finding(
          "browser.control_invalid_config",
          "warn",
          "The browser cannot be found",
          `${path} is no http:// or ws:// URL.`,
          `Mend ${path}.`,
        ),
      ];
    }
    const isLocal = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(url.hostname);
    if (isLocal || url.protocol === "https:" || url.protocol === "wss:") return [];
    return [
      finding(
        "browser.remote_cdp_http",
        "warn",
        "A browser elsewhere is controlled over plain HTTP",
        `${path} leads to ${url.hostname} without TLS; who listens there sees and does what the agent does.`,
        "Use https, or an address in your tailnet only.",
      ),
    ];
  });
}

function logs({ config }: AuditFacts): Finding[] {
  if (textAt(config, "logging.redactSensitive") !== "off") return [];
  return [
    finding(
      "logging.redact_off",
      "warn",
      "Secrets may be logged",
      "logging.redactSensitive is off.",
      "Set it to tools.",
    ),
  ];
}

function extensions({ config, extensions: installed }: AuditFacts): Finding[] {
  if (installed.length === 0 || at(config, "plugins.allow") !== undefined) return [];
  if (at(config, "plugins.enabled") === false) return [];
  const isExposed =
    at(config, "commands.nativeSkills") === true ||
    Object.keys(Object.fromEntries(entriesAt(config, "channels"))).length > 0;
  return [
    finding(
      "plugins.extensions_no_allowlist",
      isExposed && listAt(config, "plugins.deny").length === 0 ? "critical" : "warn",
      "Every installed extension is loaded",
      `plugins.allow is not set; installed: ${installed.join(", ")}.`,
      "List those that you trust in plugins.allow.",
    ),
  ];
}
