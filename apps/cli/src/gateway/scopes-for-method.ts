/**
 * Scopes to ask for before a method is called by name: what the published Gateways require of it.
 * A method that is not in here gets every scope, since nobody knows what it needs.
 */
export function scopesForMethod(method: string, params: object): readonly string[] {
  if (method === "node.invoke") return scopesForInvoke(params);
  for (const [scope, methods] of REQUIREMENTS) {
    if (methods.some((pattern) => matches(pattern, method))) return [scope];
  }
  return ALL_SCOPES;
}

const ALL_SCOPES = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.questions",
  "operator.pairing",
  "operator.talk.secrets",
];

const ADMIN_COMMANDS = [
  "browser.proxy",
  "browser.proxy.upload.v1",
  "fs.listDir",
  "terminal.upload",
];

/** Names, or beginnings that end in `*`; the first that matches counts. */
const REQUIREMENTS: readonly (readonly [scope: string, methods: readonly string[]])[] = [
  [
    "operator.pairing",
    [
      "node.pair.*",
      "node.rename",
      "device.pair.list",
      "device.pair.approve",
      "device.pair.reject",
      "device.pair.remove",
      "device.pair.rename",
      "device.token.rotate",
      "channels.pairing.list",
      "channels.pairing.dismiss",
    ],
  ],
  [
    "operator.admin",
    [
      "device.pair.setupCode",
      "device.pair.setupStatus",
      "device.token.revoke",
      "config.set",
      "config.apply",
      "config.patch",
      "config.confirm",
      "exec.approvals.*",
      "wizard.*",
      "update.*",
      "channels.start",
      "channels.stop",
      "channels.logout",
      "sessions.reset",
      "sessions.compact",
      "sessions.cleanup",
      "sessions.rewind",
      "agents.create",
      "agents.update",
      "agents.delete",
      "cron.add",
      "cron.update",
      "cron.remove",
      "cron.run",
      "set-heartbeats",
      "system-event",
      "chat.inject",
      "secrets.*",
      "terminal.*",
    ],
  ],
  ["operator.approvals", ["exec.approval.*", "plugin.approval.*", "approval.*"]],
  ["operator.questions", ["question.*"]],
  ["operator.talk", ["talk.mode", "talk.speak", "talk.client.*", "talk.session.*"]],
  [
    "operator.write",
    [
      "node.invoke.*",
      "node.pending.enqueue",
      "send",
      "poll",
      "wake",
      "agent",
      "agent.wait",
      "chat.send",
      "chat.abort",
      "sessions.send",
      "sessions.abort",
      "sessions.steer",
      "tts.enable",
      "tts.disable",
      "tts.convert",
      "voicewake.set",
      "tools.invoke",
    ],
  ],
  [
    "operator.read",
    [
      "health",
      "status",
      "system-presence",
      "system.info",
      "last-heartbeat",
      "logs.tail",
      "channels.status",
      "usage.*",
      "config.get",
      "config.schema",
      "config.schema.lookup",
      "gateway.identity.get",
      "models.list",
      "agents.list",
      "agent.identity.get",
      "skills.status",
      "voicewake.get",
      "sessions.list",
      "sessions.preview",
      "sessions.get",
      "sessions.describe",
      "cron.list",
      "cron.get",
      "cron.status",
      "cron.runs",
      "chat.history",
      "chat.startup",
      "chat.metadata",
      "tts.status",
      "tts.providers",
      "node.list",
      "node.describe",
      "tasks.list",
      "tasks.get",
      "device.scopes.*",
    ],
  ],
];

function scopesForInvoke(params: object): readonly string[] {
  const command = "command" in params ? params.command : undefined;
  return ADMIN_COMMANDS.some((name) => name === command) ? ["operator.admin"] : ["operator.write"];
}

function matches(pattern: string, method: string): boolean {
  return pattern.endsWith("*") ? method.startsWith(pattern.slice(0, -1)) : pattern === method;
}
