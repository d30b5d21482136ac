import type { JsonObject } from "../json.ts";
import { isObject } from "../json.ts";
import type { RuleProblem, SectionRule } from "./config-node.ts";
import {
  anyText,
  anything,
  either,
  flag,
  integer,
  list,
  mapOf,
  matching,
  number,
  oneOf,
  open,
  path,
  secret,
  section,
  text,
  texts,
} from "./build-node.ts";
import { agentExecSchema, agentElevatedSchema } from "./tools-schema.ts";

const modelChoice = section("A model, and what replaces it when it fails.", {
  primary: text("The model, as `provider/model` or an alias."),
  fallbacks: texts("Models that are tried next, in order.", { default: [] }),
});

const modelOrName = either(
  [text("The model."), modelChoice],
  "a string or an object",
  "The model, as `provider/model`, or with what replaces it.",
);

const TIME = matching(
  /^(?:[01]?\d|2[0-3]):[0-5]\d$|^24:00$/u,
  'a time such as "08:30"',
  "Time of day.",
);

const heartbeat = section(
  "A turn that the agent takes by itself from time to time.",
  {
    every: text("How often, such as `30m`; `0m` is never.", { default: "30m" }),
    activeHours: section("When it may.", {
      start: { ...TIME, summary: "From." },
      end: { ...TIME, summary: "Until." },
      timezone: text("Time zone of both.", { defaultText: "that of the user" }),
    }),
    model: text("Model for it."),
    session: text("Session in which it happens."),
    target: text("Channel that hears what comes of it, `last` or `none`."),
    to: text("Receiver on that channel."),
    prompt: anyText("What the agent is told."),
    ackMaxChars: integer(0, "A shorter answer counts as nothing to say.", { default: 300 }),
    accountId: text("Account of the channel."),
    includeReasoning: flag("Passes the reasoning on.", { default: false }),
  },
  { reload: "hot" },
);

const identity = section("How the agent presents itself.", {
  name: text("Name."),
  theme: text("Character, in a few words."),
  emoji: text("Emoji for its reactions."),
  avatar: text("Picture: a path in the workspace, or a URL."),
});

const sandbox = section("Where the tools of an agent run.", {
  mode: oneOf(["off", "non-main", "all"], "Which of its sessions are shut in.", { default: "off" }),
  workspaceAccess: oneOf(["none", "ro", "rw"], "What a sandbox sees of the workspace."),
  sessionToolsVisibility: oneOf(["spawned", "all"], "Which sessions its tools see."),
  scope: oneOf(["session", "agent", "shared"], "Who shares a sandbox."),
  perSession: flag("Former way to say `scope` `session`."),
  workspaceRoot: path("Folder of the workspaces of sandboxes."),
  docker: open("Settings of the container."),
  browser: open("Settings of the browser in it."),
  prune: section("When sandboxes are removed.", {
    idleHours: integer(0, "After so many hours without use.", { unit: "hours" }),
    maxAgeDays: integer(0, "After so many days.", { unit: "days" }),
  }),
});

const subagentModel = either(
  [text("The model."), modelChoice],
  "a string or an object",
  "Model of helpers.",
);

const thinking = oneOf(
  ["off", "minimal", "low", "medium", "high", "xhigh"],
  "How much the model thinks before it answers.",
);

const defaults = section("What holds for every agent that does not say otherwise.", {
  model: { ...modelOrName, defaultText: "`anthropic/claude-opus-4-5`" },
  imageModel: { ...modelOrName, summary: "Model that looks at images." },
  models: mapOf(
    section("One model.", {
      alias: text("Short name."),
      params: open("Parameters for its provider."),
      streaming: flag("Whether its answers are streamed."),
    }),
    "Models that may be chosen, by `provider/model`.",
  ),
  workspace: path("Working folder of the agents.", {
    defaultText: "`~/.openclaw/workspace`, and `workspace-<name>` with a profile",
  }),
  repoRoot: path("Root of the repository that the agents are told of.", { defaultText: "found" }),
  skipBootstrap: flag("Makes no first files in a new workspace.", { default: false }),
  bootstrapMaxChars: integer(1, "Largest first file that is given to the model, in characters."),
  userTimezone: text("Time zone of the user.", { defaultText: "that of the machine" }),
  timeFormat: oneOf(["auto", "12", "24"], "Clock that the agents are shown."),
  envelopeTimezone: text("Time zone in the heads of messages."),
  envelopeTimestamp: oneOf(["on", "off"], "Whether those heads tell the time."),
  envelopeElapsed: oneOf(["on", "off"], "Whether they tell the time that went by."),
  contextTokens: integer(1, "Size of the context.", { default: 200_000, unit: "tokens" }),
  cliBackends: open("Programs that stand in for a model."),
  contextPruning: open("How old results of tools leave the context."),
  compaction: open("How a long conversation is shortened."),
  memorySearch: open("How memory is searched."),
  thinkingDefault: thinking,
  verboseDefault: oneOf(["off", "on", "full"], "Whether the use of tools is shown."),
  elevatedDefault: oneOf(["off", "on", "ask", "full"], "Elevated tools at the start of a session."),
  blockStreamingDefault: oneOf(["off", "on"], "Whether answers arrive block by block."),
  blockStreamingBreak: oneOf(["text_end", "message_end"], "Where a block may end."),
  blockStreamingChunk: open("Size of the blocks."),
  blockStreamingCoalesce: open("How small blocks are joined."),
  humanDelay: open("Pauses between blocks."),
  timeoutSeconds: integer(1, "How long a run may take.", { unit: "seconds" }),
  mediaMaxMb: number(0, "Largest medium that is taken in.", { unit: "megabytes" }),
  typingIntervalSeconds: integer(1, "How often typing is shown.", { unit: "seconds" }),
  typingMode: oneOf(["never", "instant", "thinking", "message"], "When typing is shown."),
  heartbeat,
  maxConcurrent: integer(1, "Runs at the same time.", { default: 4 }),
  subagents: section("Runs that an agent starts.", {
    maxConcurrent: integer(1, "Of them at the same time.", { default: 8 }),
    archiveAfterMinutes: integer(0, "When their sessions are put away.", { unit: "minutes" }),
    model: subagentModel,
    thinking: text("How much they think."),
  }),
  sandbox,
});

const agent = section(
  "One agent; what is missing is as in `agents.defaults`.",
  {
    id: text("Its id."),
    default: flag("Takes what no binding takes.", { defaultText: "the first of the list" }),
    name: text("Name for people."),
    workspace: path("Working folder.", { defaultText: "`workspace-<id>` in the state directory" }),
    agentDir: path("Folder of its credentials.", {
      defaultText: "`agents/<id>/agent` in the state directory",
    }),
    model: modelOrName,
    memorySearch: open("How memory is searched."),
    humanDelay: open("Pauses between blocks."),
    identity,
    heartbeat,
    groupChat: section("In groups.", {
      mentionPatterns: texts("Patterns that count as being spoken to."),
      historyLimit: integer(0, "Messages of the group that the agent is shown."),
    }),
    subagents: section("Runs that this agent starts.", {
      allowAgents: texts("Agents that it may start; `*` is all."),
      model: subagentModel,
      thinking: text("How much they think."),
    }),
    sandbox,
    tools: section("Tools of this agent.", {
      profile: text("Set of tools to begin with."),
      allow: texts("Tools that it may use.", { isRestriction: true }),
      alsoAllow: texts("Tools besides those of the profile."),
      deny: texts("Tools that it may not use.", { isRestriction: true }),
      byProvider: open("The same for single providers."),
      elevated: agentElevatedSchema,
      exec: agentExecSchema,
      sandbox: open("Tools within a sandbox."),
    }),
  },
  { defaults: "elsewhere" },
);

/** Two agents in one folder would take each other's credentials. */
const separateFolders: SectionRule = {
  summary: "No two agents share an id or an `agentDir`.",
  problems(section) {
    const seen = new Map<string, number>();
    const problems: RuleProblem[] = [];
    const agents: readonly unknown[] = Array.isArray(section["list"]) ? section["list"] : [];
    for (const [index, item] of agents.entries()) {
      if (!isObject(item)) continue;
      const folder = agentFolder(item);
      if (folder === undefined) continue;
      const first = seen.get(folder);
      if (first === undefined) {
        seen.set(folder, index);
        continue;
      }
      const key = item["agentDir"] === undefined ? "id" : "agentDir";
      const allowed = `a folder of its own; agents.list[${first}] has this one`;
      problems.push({ path: ["list", index, key], allowed });
    }
    return problems;
  },
};

function agentFolder({ agentDir, id }: JsonObject): string | undefined {
  if (typeof agentDir === "string") return agentDir.replace(/[\\/]+$/u, "");
  return typeof id === "string" ? `id ${id.toLowerCase()}` : undefined;
}

/** The `agents` section. */
export const agentsSchema = section(
  "The agents that answer.",
  { defaults, list: list(agent, "The agents; none is one named `main`.") },
  { reload: "none", rules: [separateFolders] },
);

/** The `models` section. */
export const modelsSchema = section(
  "Models and who provides them.",
  {
    mode: oneOf(["merge", "replace"], "Whether these providers are added to the known ones.", {
      default: "merge",
    }),
    providers: mapOf(
      section("One provider.", {
        baseUrl: matching(/^https?:\/\//u, "an http:// or https:// URL", "Where it answers."),
        apiKey: secret("Key for it."),
        auth: oneOf(["api-key", "aws-sdk", "oauth", "token"], "Kind of key."),
        api: oneOf(
          [
            "openai-completions",
            "openai-responses",
            "anthropic-messages",
            "google-generative-ai",
            "github-copilot",
            "bedrock-converse-stream",
          ],
          "Interface that it speaks.",
        ),
        headers: mapOf(secret("Value of the header."), "Headers of every request.", {
          isSecret: true,
        }),
        authHeader: flag("Sends the key as `Authorization`."),
        models: list(
          section("One model.", {
            id: text("Its id with the provider."),
            name: text("Name for people."),
            api: text("Interface, where it differs."),
            reasoning: flag("Whether it thinks.", { default: false }),
            input: list(oneOf(["text", "image"], "One kind."), "What it takes.", {
              default: ["text"],
            }),
            cost: section("Price for a million tokens, in dollars.", {
              input: number(0, "Read."),
              output: number(0, "Written."),
              cacheRead: number(0, "Read from the cache."),
              cacheWrite: number(0, "Written to the cache."),
            }),
            contextWindow: integer(1, "Size of its context.", { default: 200_000, unit: "tokens" }),
            maxTokens: integer(1, "Longest answer.", { default: 8192, unit: "tokens" }),
            headers: mapOf(secret("Value of the header."), "Headers of its requests.", {
              isSecret: true,
            }),
            compat: open("Peculiarities of its interface."),
          }),
          "Its models.",
        ),
      }),
      "Providers, by id.",
    ),
    bedrockDiscovery: open("How the models of Amazon Bedrock are found."),
  },
  { reload: "none" },
);

/** The `auth` section. */
export const authSchema = section("Which credentials are used for which provider.", {
  profiles: mapOf(
    section("One credential; its secret is with the Gateway, not here.", {
      provider: text("Provider that it is for."),
      mode: oneOf(["api_key", "oauth", "token"], "Kind of credential."),
      email: text("Account that it belongs to."),
    }),
    "Credentials, by id.",
  ),
  order: mapOf(texts("Ids, first choice first."), "In which order they are tried, by provider."),
  cooldowns: open("How long one that failed is left alone."),
});

/** The `bindings` section. */
export const bindingsSchema = list(
  section("One binding.", {
    agentId: text("The agent that answers."),
    match: section("What it answers to.", {
      channel: text("Channel."),
      accountId: text("Account of the channel."),
      peer: section("One partner.", {
        kind: text("`dm`, `group` or `channel`."),
        id: text("Id of the partner."),
      }),
      guildId: text("Discord server."),
      teamId: text("Slack workspace."),
    }),
  }),
  "Which agent answers where; the first that fits.",
  { reload: "none" },
);

/** The `broadcast` section. */
export const broadcastSchema = mapOf(
  either(
    [texts("Ids of agents."), text("How they are asked.")],
    "a list of strings, or for strategy a string",
    "Agents that all hear this partner.",
  ),
  "Partners that several agents hear, by id.",
);

/** The `approvals` section. */
export const approvalsSchema = section("Where people are asked.", {
  exec: section("Before a command runs.", {
    enabled: flag("Passes the question on to chats.", { default: false }),
    mode: oneOf(["session", "targets", "both"], "To whom."),
    agentFilter: texts("Agents whose questions are passed on."),
    sessionFilter: texts("Sessions whose questions are passed on."),
    targets: list(
      section("One chat.", {
        channel: text("Channel."),
        to: text("Receiver."),
        accountId: text("Account of the channel."),
        threadId: anything("Thread."),
      }),
      "Chats for `targets`.",
    ),
  }),
});
