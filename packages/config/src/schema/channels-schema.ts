import type { ConfigNode, SectionRule } from "./config-node.ts";
import {
  anyText,
  either,
  flag,
  integer,
  list,
  mapOf,
  matching,
  number,
  oneOf,
  open,
  openSection,
  path,
  secret,
  section,
  text,
} from "./build-node.ts";

const dmPolicy = oneOf(
  ["pairing", "allowlist", "open", "disabled"],
  "Who may write to the agent. `open` needs `*` in `allowFrom`.",
  { default: "pairing" },
);
const groupPolicy = oneOf(["open", "allowlist", "disabled"], "Groups that are heard.", {
  default: "allowlist",
});
const sender = either(
  [text("A name."), integer(0, "A number.")],
  "a string or a whole number",
  "One of them.",
);
const senders = (summary: string) =>
  list(sender, summary, { allowed: "a list of strings and whole numbers", default: [] });
const heartbeat = section("What is told of heartbeats.", {
  showOk: flag("Those without news."),
  showAlerts: flag("Those with news."),
  useIndicator: flag("A sign in place of text."),
});
const switches = mapOf(flag("On or off."), "Actions that the agent may take here.");

/** Nobody opens an agent to everybody by one word alone. */
const openNeedsStar: SectionRule = {
  summary: '`dmPolicy` `open` needs `"*"` in `allowFrom`.',
  problems: ({ dmPolicy: policy, allowFrom }) =>
    policy === "open" && !(Array.isArray(allowFrom) && allowFrom.includes("*"))
      ? [{ path: ["allowFrom"], allowed: 'a list with "*", since dmPolicy is "open"' }]
      : [],
};

const common = {
  enabled: flag("Connects.", { default: true }),
  name: text("Name for people."),
  capabilities: list(text("One."), "What the account can do."),
  markdown: open("How text is marked up."),
  configWrites: flag("Lets chats change this file.", { default: true }),
  dmPolicy,
  allowFrom: senders("Who may write to the agent; `*` is everybody."),
  groupPolicy,
  groupAllowFrom: senders("Who is heard in groups."),
  historyLimit: integer(0, "Messages of a group that the agent is shown."),
  dmHistoryLimit: integer(0, "Messages of a direct chat that the agent is shown."),
  dms: open("The same for single chats."),
  textChunkLimit: integer(1, "Longest message that is sent in one piece.", { unit: "characters" }),
  chunkMode: oneOf(["length", "newline"], "Where a longer one is cut."),
  blockStreaming: flag("Sends answers block by block."),
  blockStreamingCoalesce: open("How small blocks are joined."),
  heartbeat,
} as const;

const telegramKeys = {
  ...common,
  botToken: secret("Token of the bot.", { defaultText: "`TELEGRAM_BOT_TOKEN`" }),
  tokenFile: path("File with the token; wins over `botToken`."),
  groups: mapOf(
    section("One group.", {
      requireMention: flag("Answers only when spoken to.", { default: true }),
      enabled: flag("Hears the group.", { default: true }),
      groupPolicy,
      allowFrom: senders("Who is heard in it."),
      tools: open("Tools in it."),
      toolsBySender: open("Tools in it, by sender."),
      skills: list(text("One."), "Skills in it."),
      systemPrompt: anyText("What the agent is told besides."),
      topics: mapOf(open("One topic."), "The same for topics of the group."),
    }),
    "Groups, by id; `*` is every other.",
  ),
  customCommands: list(open("One command."), "Entries in the menu of the bot."),
  commands: open("Commands of the platform."),
  replyToMode: oneOf(["off", "first", "all"], "Which messages answer another."),
  draftChunk: open("Size of drafts."),
  streamMode: oneOf(["off", "partial", "block"], "How drafts appear.", { default: "partial" }),
  mediaMaxMb: number(0, "Largest medium.", { unit: "megabytes" }),
  timeoutSeconds: integer(1, "How long the platform may take.", { unit: "seconds" }),
  retry: open("When a request is made again."),
  network: section("Connections to the platform.", {
    autoSelectFamily: flag("Tries IPv4 and IPv6 at once."),
  }),
  proxy: secret("URL of a proxy, which may hold a password."),
  webhookUrl: matching(
    /^https:\/\//u,
    "an https:// URL",
    "Public URL; without it the Gateway asks for news.",
  ),
  webhookSecret: secret("What the platform proves itself with."),
  webhookPath: text("Path on this side."),
  actions: switches,
  reactionNotifications: oneOf(["off", "own", "all"], "Reactions that the agent hears of."),
  reactionLevel: oneOf(["off", "ack", "minimal", "extensive"], "How it reacts itself."),
  linkPreview: flag("Shows previews of links."),
} as const;

const whatsappKeys = {
  ...common,
  selfChatMode: flag("The phone is the user's own."),
  sendReadReceipts: flag("Marks messages as read.", { default: true }),
  messagePrefix: anyText("Put in front of what comes in."),
  mediaMaxMb: number(0, "Largest medium.", { default: 50, unit: "megabytes" }),
  debounceMs: integer(0, "Waits so long for more before it answers.", { default: 0, unit: "ms" }),
  ackReaction: section("A reaction that says: received.", {
    emoji: anyText("Which; none when empty."),
    direct: flag("In direct chats.", { default: true }),
    group: oneOf(["always", "mentions", "never"], "In groups.", { default: "mentions" }),
  }),
  groups: mapOf(
    section("One group.", {
      requireMention: flag("Answers only when spoken to."),
      tools: open("Tools in it."),
      toolsBySender: open("Tools in it, by sender."),
    }),
    "Groups, by id; `*` is every other.",
  ),
  actions: switches,
} as const;

const accounts = (sameAs: string, keys: Readonly<Record<string, ConfigNode>>) =>
  mapOf(
    section("One account; what it does not say is as above.", keys, {
      rules: [openNeedsStar],
      defaults: "elsewhere",
    }),
    "Several accounts, by id; what one leaves out is as above.",
    { sameAs },
  );

/** The `channels` section: two channels key by key, those of extensions as they are. */
export const channelsSchema = openSection(
  "Where people write to the agents.",
  {
    defaults: section("What holds for every channel.", { groupPolicy, heartbeat }),
    telegram: section(
      "Telegram.",
      { ...telegramKeys, accounts: accounts("channels.telegram", telegramKeys) },
      { rules: [openNeedsStar], defaults: "when-present" },
    ),
    whatsapp: section(
      "WhatsApp.",
      {
        ...whatsappKeys,
        accounts: accounts("channels.whatsapp", {
          ...whatsappKeys,
          authDir: path("Folder of its credentials.", {
            defaultText: "`credentials/whatsapp/<account>` in the state directory",
          }),
        }),
      },
      { reload: "none", rules: [openNeedsStar], defaults: "when-present" },
    ),
  },
  open("A channel that an extension knows."),
  { reload: "hot" },
);

/** The `web` section. */
export const webSchema = section(
  "The connection of WhatsApp.",
  {
    enabled: flag("Connects.", { default: true }),
    heartbeatSeconds: integer(1, "How often it is seen to.", { default: 60, unit: "seconds" }),
    reconnect: section("How it comes back.", {
      initialMs: integer(1, "First pause.", { default: 2000, unit: "ms" }),
      maxMs: integer(1, "Longest pause.", { default: 30_000, unit: "ms" }),
      factor: number(1, "How pauses grow.", { default: 1.8 }),
      jitter: number(0, "Random part of a pause.", { default: 0.25, max: 1 }),
      maxAttempts: integer(0, "Attempts; 0 is without end.", { default: 12 }),
    }),
  },
  { reload: "hot" },
);
