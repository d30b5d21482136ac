import { flag, integer, list, mapOf, oneOf, open, section, text, texts } from "./build-node.ts";

const execKeys = {
  host: oneOf(
    ["sandbox", "gateway", "node"],
    "Where commands run. `sandbox` without a sandbox is the host of the Gateway.",
    { default: "sandbox" },
  ),
  security: oneOf(["deny", "allowlist", "full"], "Which commands run without a person's consent.", {
    defaultText: "`deny` for `sandbox`, else `allowlist`",
  }),
  ask: oneOf(["off", "on-miss", "always"], "When a person is asked.", { default: "on-miss" }),
  node: text("Id or name of the node for `host` `node`."),
  pathPrepend: texts("Folders in front of `PATH`.", { default: [] }),
  safeBins: texts("Programs that need no entry in the list while they only read their input."),
  backgroundMs: integer(0, "A command that takes longer goes on in the background.", {
    default: 10_000,
    unit: "ms",
  }),
  timeoutSec: integer(1, "How long a command may take.", { default: 1800, unit: "seconds" }),
  approvalRunningNoticeMs: integer(
    0,
    "When a notice says that an approved command still runs; 0 is never.",
    {
      default: 10_000,
      unit: "ms",
    },
  ),
  cleanupMs: integer(1, "How long the output of a finished command is kept.", { unit: "ms" }),
  notifyOnExit: flag("Says when a command in the background ends.", { default: true }),
  applyPatch: section("The tool that applies patches.", {
    enabled: flag("Offers it.", { default: false }),
    allowModels: texts("Models that may use it.", { default: [] }),
  }),
} as const;

/** `tools.exec` of one agent. */
export const agentExecSchema = section(
  "Commands of this agent; what is missing is as in `tools.exec`.",
  execKeys,
  { defaults: "elsewhere", sameAs: "tools.exec" },
);

const elevatedKeys = {
  enabled: flag("Offers them.", { default: true }),
  allowFrom: mapOf(list(text("One of them."), "Senders."), "Who may ask for them, by channel."),
} as const;

/** `tools.elevated` of one agent. */
export const agentElevatedSchema = section(
  "Commands of this agent outside the sandbox.",
  elevatedKeys,
  { defaults: "elsewhere", sameAs: "tools.elevated" },
);

/** The `tools` section. */
export const toolsSchema = section(
  "What agents can do.",
  {
    profile: text("Set of tools to begin with."),
    allow: texts("Tools that may be used.", { isRestriction: true }),
    alsoAllow: texts("Tools besides those of the profile."),
    deny: texts("Tools that may not be used; wins over `allow`.", { isRestriction: true }),
    byProvider: open("The same for single providers."),
    exec: section("How commands are run.", execKeys),
    elevated: section("Commands outside the sandbox.", elevatedKeys),
    web: open("Search and fetch."),
    media: open("What images, sounds and videos are made of."),
    links: open("What becomes of links in messages."),
    message: open("Messages to other chats."),
    agentToAgent: section("Messages between agents.", {
      enabled: flag("Allows them.", { default: false }),
      allow: texts("Agents that may."),
    }),
    subagents: open("Tools of the runs that an agent starts."),
    sandbox: open("Tools within a sandbox."),
  },
  { reload: "none" },
);
