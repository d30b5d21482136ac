import { joinPath } from "../json.ts";
import { anything } from "./build-node.ts";
import type { ConfigNode } from "./config-node.ts";

/**
 * Keys that other releases have beside those of this one, by the section that they are in; `*` stands
 * for names that the user chooses, `[]` for the items of a list. A file that has them is right, or
 * nobody could move here with the files that the program's onboarding elsewhere has written. They belong
 * to parts that this program does not have, so nothing comes of them and nothing is checked in them.
 *
 * What decides who gets in, or what may be executed, never belongs here: ignoring such a key could allow
 * more than its author meant. Those are refused as not supported.
 */
const LATER_KEYS: Readonly<Record<string, string>> = {
  "": "telemetry secrets acp worktreeRoot worktreeAcceleration attachments tts transcripts cloudWorkers desktop memory mcp surfaces proxy",
  agents: "ownership entries",
  "agents.defaults":
    "params modelSelectionScope utilityModel decisionModel mediaModels voiceModel pdfModel pdfMaxMb pdfMaxPages modelPolicy cwd skills silentReply skipOptionalBootstrapFiles contextInjection bootstrapTotalMaxChars experimental startupContext embeddedAgent fastModeDefault toolProgressDetail reasoningDefault imageMaxDimensionPx imageQuality systemAgent authInheritance sessionStore contextLimits",
  "agents.defaults.heartbeat": "directPolicy timeoutSeconds lightContext isolatedSession agentId",
  "agents.defaults.imageModel": "timeoutMs",
  "agents.defaults.models.*": "agentRuntime pickerRuntimes codeMode",
  "agents.defaults.sandbox": "backend ssh",
  "agents.defaults.subagents":
    "delegationMode allowAgents maxSpawnDepth maxChildrenPerAgent runTimeoutSeconds announceTimeoutMs requireAgentId",
  "auth.profiles.*": "displayName",
  "bindings.[]": "type comment session acp",
  "bindings.[].match": "roles",
  browser: "allowSystemProfileImport extraArgs tabCleanup extensionRelay",
  "browser.profiles.*": "userDataDir mcpCommand mcpArgs headless executablePath attachOnly",
  commands: "mcp plugins",
  cron: "skipMissedJobs triggers webhookToken sessionRetention failureAlert",
  hooks: "defaultSessionKey",
  logging: "maxFileBytes audit",
  messages: "visibleReplies usageTemplate responseUsage statusReactions",
  "messages.groupChat": "unmentionedInbound visibleReplies",
  meta: "migrations",
  models: "catalogRefresh",
  "models.providers.*":
    "maxTokens timeoutSeconds region injectNumCtxForOpenAICompat params agentRuntime localService request",
  "models.providers.*.models.[]":
    "baseUrl contextTokens thinkingLevelMap params agentRuntime mediaInput metadataSource",
  "models.providers.*.models.[].cost": "tieredPricing",
  nodeHost: "agentRuns workerRuns",
  "plugins.slots": "contextEngine",
  session: "groupScope notifyOnCreate threadBindings sharing maintenance",
  "session.resetByType": "direct",
  "skills.install": "allowUploadedArchives",
  "skills.load": "allowSymlinkTargets",
  skills: "limits workshop",
  talk: "agentId provider providers realtime consultThinkingLevel consultFastMode speechLocale silenceTimeoutMs",
  tools: "github sessions loopDetection toolSearch codeMode swarm sessions_spawn updatePlan",
  "tools.exec": "commandHighlighting timeoutSeconds notifyOnExitEmptySuccess",
  ui: "prefs",
  update: "auto",
  wizard: "accessMode appRecommendations securityAcknowledgedAt",
};

const SUMMARY = "Belongs to a part that this program does not have, and is left as it is.";

/** The tree with the keys of other releases in their places. */
export function withLaterKeys<N extends ConfigNode>(node: N, path = ""): N {
  // What is added widens no type: nothing here reads those keys.
  return extended(node, path) as N;
}

function extended(node: ConfigNode, path: string): ConfigNode {
  switch (node.kind) {
    case "section": {
      const own = Object.entries(node.keys).map(
        ([key, child]) => [key, extended(child, joinPath(path, key))] as const,
      );
      const later = (LATER_KEYS[path]?.split(" ") ?? [])
        .filter((key) => !Object.hasOwn(node.keys, key))
        .map((key) => [key, anything(SUMMARY, { isElsewhere: true })] as const);
      const { rest } = node;
      return {
        ...node,
        keys: Object.fromEntries([...own, ...later]),
        ...(rest === undefined ? {} : { rest: extended(rest, joinPath(path, "*")) }),
      };
    }
    case "list":
      return { ...node, item: extended(node.item, joinPath(path, "[]")) };
    case "either":
      return { ...node, options: node.options.map((option) => extended(option, path)) };
    default:
      return node;
  }
}
