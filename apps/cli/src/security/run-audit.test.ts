import type { JsonObject } from "@openclaw/config";
import { expect, test } from "vitest";
import type { AuditFacts, AuditFiles } from "./audit-facts.ts";
import type { Severity } from "./finding.ts";
import { runAudit } from "./run-audit.ts";

const LONG = "a-secret-that-is-long-enough-0123456789";
const SAFE = { gateway: { mode: "local", auth: { token: LONG }, controlUi: { enabled: false } } };

interface Case {
  config?: JsonObject;
  /** What stands in the file itself. @default the config */
  literals?: JsonObject;
  env?: Record<string, string>;
  files?: Partial<AuditFiles>;
  stateDir?: string;
  extensions?: string[];
  pairedSenders?: Record<string, number>;
}

function facts(input: Case): AuditFacts {
  const { config = SAFE, literals = config, env = {}, files = {} } = input;
  const stateDir = input.stateDir ?? "/home/u/.openclaw";
  return {
    config,
    literals,
    env,
    paths: { home: "/home/u", stateDir, configPath: `${stateDir}/openclaw.json` },
    files: { includes: [], agentDirs: [], authProfiles: [], sessionStores: [], ...files },
    extensions: input.extensions ?? [],
    pairedSenders: input.pairedSenders ?? {},
  };
}

/** A Gateway with a good secret, and these keys beside it. */
function gateway(keys: JsonObject): JsonObject {
  return { gateway: { ...SAFE.gateway, ...keys } };
}

const ui = { enabled: true };
const telegram = (keys: JsonObject): JsonObject => ({ ...SAFE, channels: { telegram: keys } });
const proxyAuth = (trustedProxy: JsonObject, keys: JsonObject = {}): JsonObject =>
  gateway({ auth: { mode: "trusted-proxy", trustedProxy }, trustedProxies: ["10.0.0.2"], ...keys });
const file = (mode: number, path = "/f"): { path: string; mode: number; isLink: boolean } => ({
  path,
  mode,
  isLink: false,
});
const model = (primary: string, more: JsonObject = {}): JsonObject => ({
  ...SAFE,
  agents: { defaults: { model: { primary }, ...more } },
});

const fires: [checkId: string, severity: Severity, input: Case][] = [
  ["summary.attack_surface", "info", {}],
  ["gateway.bind_no_auth", "critical", { config: { gateway: { bind: "lan" } } }],
  ["gateway.loopback_no_auth", "critical", { config: { gateway: { mode: "local" } } }],
  [
    "gateway.loopback_no_auth",
    "critical",
    { config: gateway({ auth: { mode: "none" }, controlUi: ui }) },
  ],
  [
    "gateway.loopback_no_auth",
    "critical",
    { config: gateway({ auth: { mode: "none" }, tailscale: { mode: "serve" }, controlUi: ui }) },
  ],
  ["gateway.trusted_proxies_missing", "warn", { config: gateway({ controlUi: ui }) }],
  ["gateway.tailscale_funnel", "critical", { config: gateway({ tailscale: { mode: "funnel" } }) }],
  [
    "gateway.tailscale_funnel_no_password",
    "critical",
    { config: gateway({ tailscale: { mode: "funnel" } }) },
  ],
  ["gateway.tailscale_serve", "info", { config: gateway({ tailscale: { mode: "serve" } }) }],
  [
    "gateway.control_ui.insecure_auth",
    "critical",
    { config: gateway({ controlUi: { allowInsecureAuth: true } }) },
  ],
  [
    "gateway.control_ui.device_auth_disabled",
    "critical",
    { config: gateway({ controlUi: { dangerouslyDisableDeviceAuth: true } }) },
  ],
  ["gateway.token_too_short", "warn", { config: gateway({ auth: { token: "short" } }) }],
  [
    "gateway.token_too_short",
    "warn",
    { config: gateway({ auth: {} }), env: { OPENCLAW_GATEWAY_TOKEN: "short" } },
  ],
  ["gateway.password_too_short", "warn", { config: gateway({ auth: { password: "short" } }) }],
  [
    "gateway.token_placeholder_value",
    "critical",
    { config: gateway({ auth: { token: "undefined" } }) },
  ],
  [
    "gateway.password_placeholder_value",
    "critical",
    { config: gateway({ auth: { password: "null" } }) },
  ],
  [
    "config.secrets.gateway_password_in_config",
    "warn",
    { config: gateway({ auth: { password: LONG } }) },
  ],
  [
    "config.secrets.hooks_token_in_config",
    "info",
    { config: { ...SAFE, hooks: { enabled: true, token: `${LONG}x` } } },
  ],
  ["hooks.token_too_short", "warn", { config: { ...SAFE, hooks: { enabled: true, token: "t" } } }],
  [
    "hooks.token_reuse_gateway_token",
    "warn",
    { config: { ...SAFE, hooks: { enabled: true, token: LONG } } },
  ],
  [
    "hooks.path_root",
    "critical",
    { config: { ...SAFE, hooks: { enabled: true, token: LONG, path: "/" } } },
  ],
  [
    "browser.control_invalid_config",
    "warn",
    { config: { ...SAFE, browser: { cdpUrl: "not a url" } } },
  ],
  [
    "browser.remote_cdp_http",
    "warn",
    { config: { ...SAFE, browser: { profiles: { far: { cdpUrl: "http://box:9222" } } } } },
  ],
  ["logging.redact_off", "warn", { config: { ...SAFE, logging: { redactSensitive: "off" } } }],
  [
    "tools.elevated.allowFrom.telegram.wildcard",
    "critical",
    { config: { ...SAFE, tools: { elevated: { allowFrom: { telegram: ["*"] } } } } },
  ],
  [
    "tools.elevated.allowFrom.telegram.large",
    "warn",
    {
      config: {
        ...SAFE,
        tools: { elevated: { allowFrom: { telegram: Array.from({ length: 26 }, (_, i) => i) } } },
      },
    },
  ],
  [
    "security.exposure.open_groups_with_elevated",
    "critical",
    {
      config: {
        ...telegram({ groupPolicy: "open" }),
        tools: { elevated: { allowFrom: { telegram: ["1"] } } },
      },
    },
  ],
  ["models.legacy", "warn", { config: model("openai/gpt-3.5-turbo") }],
  ["models.weak_tier", "warn", { config: model("openai/gpt-4o-mini") }],
  ["models.small_params", "critical", { config: model("ollama/llama3:8b") }],
  [
    "models.small_params",
    "info",
    { config: model("ollama/llama3:8b", { sandbox: { mode: "all" } }) },
  ],
  ["plugins.extensions_no_allowlist", "warn", { extensions: ["voice"] }],
  [
    "plugins.extensions_no_allowlist",
    "critical",
    { extensions: ["voice"], config: { ...SAFE, commands: { nativeSkills: true } } },
  ],
  [
    "channels.telegram.dm.open",
    "critical",
    { config: telegram({ dmPolicy: "open", allowFrom: ["*"] }) },
  ],
  ["channels.telegram.dm.open_invalid", "warn", { config: telegram({ dmPolicy: "open" }) }],
  ["channels.telegram.dm.disabled", "info", { config: telegram({ dmPolicy: "disabled" }) }],
  [
    "channels.telegram.dm.scope_main_multiuser",
    "warn",
    { config: telegram({ allowFrom: ["1"] }), pairedSenders: { telegram: 1 } },
  ],
  [
    "channels.telegram.groups.allowFrom.wildcard",
    "critical",
    { config: telegram({ groups: { "*": {} }, groupAllowFrom: ["*"] }) },
  ],
  [
    "channels.telegram.groups.allowFrom.missing",
    "critical",
    { config: telegram({ groups: { "*": {} } }) },
  ],
  [
    "channels.discord.commands.native.unrestricted",
    "critical",
    { config: { ...SAFE, channels: { discord: {} }, commands: { useAccessGroups: false } } },
  ],
  [
    "channels.discord.commands.native.no_allowlists",
    "warn",
    { config: { ...SAFE, channels: { discord: {} } } },
  ],
  [
    "channels.slack.commands.slash.useAccessGroups_off",
    "critical",
    {
      config: {
        ...SAFE,
        channels: { slack: { slashCommand: { enabled: true } } },
        commands: { useAccessGroups: false },
      },
    },
  ],
  [
    "channels.slack.commands.slash.no_allowlists",
    "warn",
    { config: { ...SAFE, channels: { slack: { slashCommand: { enabled: true } } } } },
  ],
  ["fs.synced_dir", "warn", { stateDir: "/home/u/Dropbox/openclaw" }],
  ["fs.state_dir.symlink", "warn", { files: { stateDir: { ...file(0o700), isLink: true } } }],
  ["fs.state_dir.perms_world_writable", "critical", { files: { stateDir: file(0o777) } }],
  ["fs.state_dir.perms_group_writable", "warn", { files: { stateDir: file(0o770) } }],
  ["fs.state_dir.perms_readable", "warn", { files: { stateDir: file(0o755) } }],
  ["fs.config.symlink", "warn", { files: { config: { ...file(0o600), isLink: true } } }],
  ["fs.config.perms_writable", "critical", { files: { config: file(0o660) } }],
  ["fs.config.perms_world_readable", "critical", { files: { config: file(0o644) } }],
  ["fs.config.perms_group_readable", "warn", { files: { config: file(0o640) } }],
  ["fs.config_include.perms_writable", "critical", { files: { includes: [file(0o622)] } }],
  ["fs.config_include.perms_world_readable", "critical", { files: { includes: [file(0o604)] } }],
  ["fs.config_include.perms_group_readable", "warn", { files: { includes: [file(0o640)] } }],
  ["fs.credentials_dir.perms_writable", "critical", { files: { credentialsDir: file(0o770) } }],
  ["fs.credentials_dir.perms_readable", "warn", { files: { credentialsDir: file(0o755) } }],
  ["fs.auth_profiles.perms_writable", "critical", { files: { authProfiles: [file(0o620)] } }],
  ["fs.auth_profiles.perms_readable", "warn", { files: { authProfiles: [file(0o644)] } }],
  ["fs.sessions_store.perms_readable", "warn", { files: { sessionStores: [file(0o644)] } }],
  ["fs.log_file.perms_readable", "warn", { files: { log: file(0o644) } }],
  [
    "gateway.auth_no_rate_limit",
    "warn",
    { config: gateway({ bind: "lan", auth: { token: LONG, rateLimit: { maxAttempts: 10_000 } } }) },
  ],
  [
    "gateway.http.no_auth",
    "warn",
    {
      config: gateway({
        auth: { mode: "none" },
        http: { endpoints: { chatCompletions: { enabled: true } } },
      }),
    },
  ],
  [
    "gateway.control_ui.allowed_origins_required",
    "critical",
    { config: gateway({ bind: "lan", controlUi: ui }) },
  ],
  [
    "gateway.control_ui.allowed_origins_wildcard",
    "warn",
    { config: gateway({ controlUi: { allowedOrigins: ["*"] } }) },
  ],
  [
    "gateway.control_ui.allowed_origins_wildcard",
    "critical",
    { config: gateway({ bind: "lan", controlUi: { allowedOrigins: ["*"] } }) },
  ],
  [
    "gateway.control_ui.host_header_origin_fallback",
    "warn",
    { config: gateway({ controlUi: { dangerouslyAllowHostHeaderOriginFallback: true } }) },
  ],
  [
    "gateway.real_ip_fallback_enabled",
    "critical",
    { config: gateway({ bind: "lan", allowRealIpFallback: true }) },
  ],
  ["gateway.trusted_proxy_auth", "critical", { config: proxyAuth({ userHeader: "x-user" }) }],
  [
    "gateway.trusted_proxy_no_proxies",
    "critical",
    { config: proxyAuth({ userHeader: "x" }, { trustedProxies: [] }) },
  ],
  ["gateway.trusted_proxy_no_user_header", "critical", { config: proxyAuth({}) }],
  ["gateway.trusted_proxy_no_allowlist", "warn", { config: proxyAuth({ userHeader: "x" }) }],
  [
    "gateway.trusted_proxy_allow_loopback",
    "warn",
    { config: proxyAuth({ userHeader: "x", allowLoopback: true }) },
  ],
  [
    "gateway.nodes.allow_commands_dangerous",
    "warn",
    { config: gateway({ nodes: { allowCommands: ["system.run"] } }) },
  ],
  [
    "gateway.nodes.deny_commands_ineffective",
    "warn",
    { config: gateway({ nodes: { commands: { deny: ["system.*"] } } }) },
  ],
  [
    "discovery.mdns_full_mode",
    "warn",
    { config: { ...SAFE, discovery: { mdns: { mode: "full" } } } },
  ],
  [
    "config.insecure_or_dangerous_flags",
    "warn",
    { config: gateway({ controlUi: { allowInsecureAuth: true } }) },
  ],
  [
    "gateway.remote_token_as_local_auth",
    "warn",
    { config: { gateway: { mode: "local", remote: { token: LONG } } } },
  ],
];

test.each(fires)("%s (%s) is found", (checkId, severity, input) => {
  expect(runAudit(facts(input))).toContainEqual(expect.objectContaining({ checkId, severity }));
});

test("each finding but plain information says what to do", () => {
  const silent = fires
    .flatMap(([, , input]) => runAudit(facts(input)))
    .filter(({ severity, remediation = "" }) => severity !== "info" && remediation === "")
    .map(({ checkId }) => checkId);
  expect(silent).toEqual([]);
});

test("a tidy Gateway on loopback is told of its surface, and of nothing else", () => {
  const found = runAudit(
    facts({
      files: {
        stateDir: file(0o700),
        config: file(0o600),
        includes: [file(0o600)],
        credentialsDir: file(0o700),
        authProfiles: [file(0o600)],
        log: file(0o600),
      },
    }),
  );
  expect(found.map(({ checkId }) => checkId)).toEqual(["summary.attack_surface"]);
});

test.each([
  ["SSH to loopback", { gateway: { mode: "local", auth: { token: LONG } } }],
  ["Serve", { gateway: { mode: "local", auth: { token: LONG }, tailscale: { mode: "serve" } } }],
  ["Serve without a secret", { gateway: { mode: "local", tailscale: { mode: "serve" } } }],
])("the safe way in by %s has no critical finding", (_name, config) => {
  const found = runAudit(facts({ config, files: { config: file(0o600) } }));
  expect(found.filter(({ severity }) => severity === "critical")).toEqual([]);
});

test("a password that comes from a variable does not stand in the config", () => {
  const config = gateway({ auth: { password: LONG } });
  const literals = gateway({ auth: {} });
  const ids = runAudit(facts({ config, literals })).map(({ checkId }) => checkId);
  expect(ids).not.toContain("config.secrets.gateway_password_in_config");
});

test("no finding repeats a secret", () => {
  const secrets = ["hunter2hunter2", "t0k3n-of-hooks", "b0t-t0ken"];
  const config = {
    gateway: { bind: "lan", auth: { password: secrets[0] }, remote: { token: secrets[2] } },
    hooks: { enabled: true, token: secrets[1], path: "/" },
    browser: { cdpUrl: `http://user:${secrets[2]}@box:9222` },
    channels: { telegram: { botToken: secrets[2], dmPolicy: "open", allowFrom: ["*"] } },
  };
  const text = JSON.stringify(runAudit(facts({ config })));
  for (const secret of secrets) expect(text).not.toContain(secret);
});

test("the worst comes first", () => {
  const severities = runAudit(facts({ config: gateway({ bind: "lan", controlUi: ui }) })).map(
    ({ severity }) => severity,
  );
  expect(severities).toEqual(severities.toSorted());
});
