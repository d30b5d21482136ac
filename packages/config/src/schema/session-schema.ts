import {
  anyText,
  either,
  flag,
  integer,
  list,
  mapOf,
  oneOf,
  open,
  path,
  section,
  text,
  texts,
} from "./build-node.ts";

const reset = section("When a conversation begins anew.", {
  mode: oneOf(["daily", "idle"], "At an hour, or after a silence.", { default: "daily" }),
  atHour: integer(0, "The hour for `daily`.", { default: 4, max: 23 }),
  idleMinutes: integer(1, "The silence for `idle`.", { default: 60, unit: "minutes" }),
});

const sameReset = { sameAs: "session.reset", defaults: "elsewhere" } as const;

/** The `session` section. */
export const sessionSchema = section(
  "How conversations are told apart.",
  {
    scope: oneOf(["per-sender", "global"], "One for each sender, or one for all.", {
      default: "per-sender",
    }),
    dmScope: oneOf(
      ["main", "per-peer", "per-channel-peer", "per-account-channel-peer"],
      "How direct chats are told apart; `main` joins them.",
      { default: "main" },
    ),
    identityLinks: mapOf(texts("Ids on channels."), "Partners who are the same person, by name."),
    resetTriggers: texts("Words that begin anew.", { default: ["/new", "/reset"] }),
    reset,
    resetByType: section("The same by kind of chat.", {
      dm: { ...reset, ...sameReset },
      group: { ...reset, ...sameReset },
      thread: { ...reset, ...sameReset },
    }),
    resetByChannel: mapOf({ ...reset, ...sameReset }, "The same by channel."),
    idleMinutes: integer(1, "Former way to say `reset.idleMinutes`.", { unit: "minutes" }),
    heartbeatIdleMinutes: integer(1, "The silence for heartbeats.", { unit: "minutes" }),
    typingIntervalSeconds: integer(1, "How often typing is shown.", { unit: "seconds" }),
    typingMode: oneOf(["never", "instant", "thinking", "message"], "When typing is shown."),
    store: path("File of the list of conversations.", {
      defaultText: "`agents/<agent>/sessions/sessions.json` in the state directory",
    }),
    mainKey: text("Former name of the main conversation; only `main` counts.", { default: "main" }),
    sendPolicy: section("Who may be written to.", {
      default: oneOf(["allow", "deny"], "Whoever no rule fits."),
      rules: list(
        section("One rule.", {
          action: oneOf(["allow", "deny"], "What follows."),
          match: section("Whom it fits.", {
            channel: text("Channel."),
            chatType: text("Kind of chat."),
            keyPrefix: text("Beginning of the key of the conversation."),
          }),
        }),
        "Rules; the first that fits.",
      ),
    }),
    agentToAgent: section("Conversations between agents.", {
      maxPingPongTurns: integer(0, "Turns at most.", { default: 5, max: 5 }),
    }),
  },
  { reload: "none" },
);

/** The `messages` section. */
export const messagesSchema = section(
  "How messages are read and written.",
  {
    messagePrefix: anyText("Put in front of what comes in."),
    responsePrefix: anyText("Put in front of answers."),
    groupChat: section("In groups.", {
      mentionPatterns: texts("Patterns that count as being spoken to."),
      historyLimit: integer(0, "Messages of the group that the agent is shown."),
    }),
    queue: open("What becomes of messages that come during a run."),
    inbound: open("How long more messages are waited for."),
    ackReaction: anyText("A reaction that says: received."),
    ackReactionScope: oneOf(["group-mentions", "group-all", "direct", "all"], "Where.", {
      default: "group-mentions",
    }),
    removeAckAfterReply: flag("Takes it away with the answer.", { default: false }),
    tts: open("Speech."),
  },
  { reload: "none" },
);

const nativeCommands = (summary: string) =>
  either(
    [flag("On or off."), oneOf(["auto"], "As the channel can.")],
    'true, false or "auto"',
    summary,
    { default: "auto" },
  );

/** The `commands` section. */
export const commandsSchema = section("Commands in chats.", {
  native: nativeCommands("Shows them in the menu of the channel."),
  nativeSkills: nativeCommands("Shows skills there too."),
  text: flag("Understands them as text.", { default: true }),
  bash: flag("`/bash`: runs commands on the host.", { default: false }),
  bashForegroundMs: integer(0, "How long one is waited for.", { unit: "ms", max: 30_000 }),
  config: flag("`/config`: changes this file.", { default: false }),
  debug: flag("`/debug`: overrides for this run.", { default: false }),
  restart: flag("`/restart`.", { default: false }),
  useAccessGroups: flag("Asks the allow lists of the channel.", { default: true }),
});
