const MOVED_KEYS: Readonly<Record<string, string>> = {
  "gateway.token": "gateway.auth.token",
  "gateway.password": "gateway.auth.password",
  whatsapp: "channels.whatsapp",
  telegram: "channels.telegram",
  discord: "channels.discord",
  slack: "channels.slack",
  signal: "channels.signal",
  imessage: "channels.imessage",
  msteams: "channels.msteams",
  providers: "channels",
  "routing.bindings": "bindings",
  "routing.queue": "messages.queue",
  routing: "channels, bindings and agents",
  identity: "agents.list[].identity",
  agent: "agents.defaults",
};

/** Where a key of an earlier release is now, as far as one place can be named. */
export function movedKey(path: string): string | undefined {
  return Object.hasOwn(MOVED_KEYS, path) ? MOVED_KEYS[path] : undefined;
}

/** Words that were once written for a bind mode. */
export const OLD_BIND_WORDS: Readonly<Record<string, string>> = {
  "0.0.0.0": "lan",
  "::": "lan",
  localhost: "loopback",
  "127.0.0.1": "loopback",
  "::1": "loopback",
};

/** Keys that other releases understand and this one does not. */
export const UNSUPPORTED_KEYS: ReadonlySet<string> = new Set([
  "accessGroups",
  "security",
  "approvals.plugin",
  "browser.ssrfPolicy",
  "commands.ownerAllowFrom",
  "commands.allowFrom",
  "cron.webhookSsrfPolicy",
  "hooks.allowRequestSessionKey",
  "hooks.allowedSessionKeyPrefixes",
  "hooks.allowedAgentIds",
  "tools.toolsBySender",
  "tools.fs",
  "tools.exec.mode",
  "tools.exec.strictInlineEval",
  "tools.exec.grantExpiryDays",
  "tools.exec.safeBinTrustedDirs",
  "tools.exec.safeBinProfiles",
  "tools.exec.reviewer",
  "tools.exec.applyPatch.workspaceOnly",
  "gateway.http.endpoints.chatCompletions.images",
  "gateway.http.endpoints.responses.maxUrlParts",
  "gateway.publicOrigin",
  "gateway.portals",
  "gateway.controlUi.experimental",
  "gateway.controlUi.root",
  "gateway.controlUi.environment",
  "gateway.controlUi.communityInvite",
  "gateway.controlUi.github",
  "gateway.controlUi.sessionObserver",
  "gateway.controlUi.embedSandbox",
  "gateway.controlUi.allowExternalEmbedUrls",
  "gateway.controlUi.automaticallyFetchFavicons",
  "gateway.cliAgents",
  "gateway.terminal",
  "gateway.auth.identityScopes",
  "gateway.auth.trustedProxy.cloudflareAccessOidc",
  "gateway.auth.trustedProxy.deviceAutoApprove",
  "gateway.roles",
  "gateway.tools",
  "gateway.push",
  "gateway.tailscale.serviceName",
  "gateway.channelHealthCheckMinutes",
  "gateway.channelStaleEventThresholdMinutes",
  "gateway.channelMaxRestartsPerHour",
]);
