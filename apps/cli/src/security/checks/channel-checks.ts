import type { JsonObject } from "@openclaw/config";
import { asObject } from "@openclaw/app-kit";
import { at, type AuditFacts, type Check, entriesAt, listAt, textAt } from "../audit-facts.ts";
import { finding, type Finding } from "../finding.ts";

const MANY_SENDERS = 25;
const CHANNELS_WITH_GROUPS = [
  "telegram",
  "whatsapp",
  "discord",
  "signal",
  "imessage",
  "slack",
  "msteams",
];

/** Who may talk to the agent, and what they may make it do. */
export const channelChecks: readonly Check[] = [
  directMessages,
  telegramGroups,
  discordCommands,
  slackCommands,
  elevatedTools,
  openGroupsWithElevated,
  attackSurface,
];

/** A channel and each of its accounts, with the keys that the account overrides. */
function accountsOf(config: JsonObject): { channel: string; path: string; keys: JsonObject }[] {
  return entriesAt(config, "channels")
    .filter(([channel]) => channel !== "defaults")
    .flatMap(([channel, keys]) => {
      const path = `channels.${channel}`;
      const { accounts: _, ...shared } = keys;
      const own = { channel, path, keys: shared };
      const others = entriesAt(config, `${path}.accounts`).map(([id, account]) => ({
        channel,
        path: `${path}.accounts.${id}`,
        keys: { ...shared, ...account },
      }));
      return [own, ...others];
    })
    .filter(({ keys }) => keys["enabled"] !== false);
}

function directMessages({ config, pairedSenders }: AuditFacts): Finding[] {
  const findings: Finding[] = [];
  const isShared = (textAt(config, "session.dmScope") ?? "main") === "main";
  for (const { channel, path, keys } of accountsOf(config)) {
    // Discord and Slack keep the policy of direct messages in a section of its own.
    const dm = asObject(keys["dm"]);
    const policy = keys["dmPolicy"] ?? dm["policy"];
    const allowFrom = listAt({ ...dm, ...keys }, "allowFrom");
    if (policy === "open" && !allowFrom.includes("*")) {
      findings.push(
        finding(
          `channels.${channel}.dm.open_invalid`,
          "warn",
          "An open policy for direct messages lets nobody in",
          `${path}.dmPolicy is open, and allowFrom does not contain *.`,
          "Set dmPolicy to pairing or allowlist.",
        ),
      );
    } else if (policy === "open") {
      findings.push(
        finding(
          `channels.${channel}.dm.open`,
          "critical",
          "Anybody may talk to the agent",
          `${path}.dmPolicy is open.`,
          "Set it to pairing or allowlist.",
        ),
      );
    } else if (policy === "disabled") {
      findings.push(
        finding(
          `channels.${channel}.dm.disabled`,
          "info",
          "Direct messages are off",
          `${path}.dmPolicy is disabled.`,
        ),
      );
    }
    const senders = allowFrom.filter((sender) => sender !== "*").length;
    const paired = path === `channels.${channel}` ? (pairedSenders[channel] ?? 0) : 0;
    if (isShared && (allowFrom.includes("*") || senders + paired > 1)) {
      findings.push(
        finding(
          `channels.${channel}.dm.scope_main_multiuser`,
          "warn",
          "Several people share one conversation",
          `${path} lets more than one sender in, and session.dmScope is main: each may read what others said.`,
          "Set session.dmScope to per-channel-peer, or per-account-channel-peer with several accounts.",
        ),
      );
    }
  }
  return findings;
}

function telegramGroups({ config }: AuditFacts): Finding[] {
  return accountsOf(config).flatMap(({ channel, path, keys }) => {
    const groups = asObject(keys["groups"]);
    const isOn = keys["groupPolicy"] === "open" || Object.keys(groups).length > 0;
    if (channel !== "telegram" || !isOn || keys["groupPolicy"] === "disabled") return [];
    const senders = [...listAt(keys, "groupAllowFrom"), ...listAt(keys, "allowFrom")];
    if (senders.includes("*")) {
      return [
        finding(
          "channels.telegram.groups.allowFrom.wildcard",
          "critical",
          "Everybody in a group may give commands",
          `${path}: the list of senders contains *.`,
          "Set groupAllowFrom to the ids of those who may.",
        ),
      ];
    }
    if (senders.length > 0) return [];
    return [
      finding(
        "channels.telegram.groups.allowFrom.missing",
        "critical",
        "No list says who may give commands in groups",
        `${path}.groupAllowFrom is not set.`,
        "Set it to the ids of those who may.",
      ),
    ];
  });
}

function discordCommands({ config }: AuditFacts): Finding[] {
  const discord = asObject(at(config, "channels.discord"));
  const native =
    at(config, "channels.discord.commands.native") ?? at(config, "commands.native") ?? "auto";
  if (!("discord" in asObject(config["channels"])) || discord["enabled"] === false) return [];
  if (native === false) return [];
  if (at(config, "commands.useAccessGroups") === false) {
    return [
      finding(
        "channels.discord.commands.native.unrestricted",
        "critical",
        "Discord's slash commands work for everybody",
        "commands.useAccessGroups is false, and native commands are on.",
        "Set commands.useAccessGroups to true, or commands.native to false.",
      ),
    ];
  }
  const dm = asObject(discord["dm"]);
  const hasList =
    listAt(dm, "allowFrom").length > 0 ||
    entriesAt(discord, "guilds").some(
      ([, guild]) =>
        listAt(guild, "users").length > 0 ||
        entriesAt(guild, "channels").some(([, channel]) => listAt(channel, "users").length > 0),
    );
  if (hasList) return [];
  return [
    finding(
      "channels.discord.commands.native.no_allowlists",
      "warn",
      "No list says who may use Discord's slash commands",
      "channels.discord has neither dm.allowFrom nor users in its guilds.",
      "Add one of them.",
    ),
  ];
}

function slackCommands({ config }: AuditFacts): Finding[] {
  const slack = asObject(at(config, "channels.slack"));
  const isOn =
    asObject(slack["slashCommand"])["enabled"] === true ||
    (asObject(slack["commands"])["native"] ?? at(config, "commands.native")) === true;
  if (!isOn || slack["enabled"] === false) return [];
  if (at(config, "commands.useAccessGroups") === false) {
    return [
      finding(
        "channels.slack.commands.slash.useAccessGroups_off",
        "critical",
        "Slack's slash commands work for everybody",
        "commands.useAccessGroups is false, and slash commands are on.",
        "Set commands.useAccessGroups to true.",
      ),
    ];
  }
  const hasList =
    listAt(asObject(slack["dm"]), "allowFrom").length > 0 ||
    entriesAt(slack, "channels").some(([, channel]) => listAt(channel, "users").length > 0);
  if (hasList) return [];
  return [
    finding(
      "channels.slack.commands.slash.no_allowlists",
      "warn",
      "No list says who may use Slack's slash commands",
      "channels.slack has neither dm.allowFrom nor users in its channels.",
      "Add one of them.",
    ),
  ];
}

function elevatedTools({ config }: AuditFacts): Finding[] {
  if (at(config, "tools.elevated.enabled") === false) return [];
  const lists = asObject(at(config, "tools.elevated.allowFrom"));
  return Object.keys(lists).flatMap((provider) => {
    const senders = listAt(lists, provider);
    if (senders.includes("*")) {
      return [
        finding(
          `tools.elevated.allowFrom.${provider}.wildcard`,
          "critical",
          "Every sender may use tools with more rights",
          `tools.elevated.allowFrom.${provider} contains *.`,
          "List the ids of those who may.",
        ),
      ];
    }
    if (senders.length <= MANY_SENDERS) return [];
    return [
      finding(
        `tools.elevated.allowFrom.${provider}.large`,
        "warn",
        "Many senders may use tools with more rights",
        `tools.elevated.allowFrom.${provider} has ${senders.length} entries.`,
        "Keep it short.",
      ),
    ];
  });
}

/** Channels and accounts whose groups are open to everybody. */
function openGroups(config: JsonObject): string[] {
  const fallback = textAt(config, "channels.defaults.groupPolicy");
  return accountsOf(config)
    .filter(({ channel }) => CHANNELS_WITH_GROUPS.includes(channel))
    .filter(({ keys }) => (keys["groupPolicy"] ?? fallback) === "open")
    .map(({ path }) => path);
}

function openGroupsWithElevated({ config }: AuditFacts): Finding[] {
  const open = openGroups(config);
  const isElevated =
    at(config, "tools.elevated.enabled") !== false &&
    Object.keys(asObject(at(config, "tools.elevated.allowFrom"))).length > 0;
  if (open.length === 0 || !isElevated) return [];
  return [
    finding(
      "security.exposure.open_groups_with_elevated",
      "critical",
      "Strangers in open groups can reach tools with more rights",
      `groupPolicy is open in ${open.join(", ")}, and tools.elevated is on.`,
      "Set groupPolicy to allowlist.",
    ),
  ];
}

function attackSurface({ config }: AuditFacts): Finding[] {
  const fallback = textAt(config, "channels.defaults.groupPolicy") ?? "allowlist";
  const policies = accountsOf(config)
    .filter(({ channel }) => CHANNELS_WITH_GROUPS.includes(channel))
    .map(({ keys }) => keys["groupPolicy"] ?? fallback);
  const count = (policy: string): number => policies.filter((value) => value === policy).length;
  const state = (on: boolean): string => (on ? "on" : "off");
  return [
    finding(
      "summary.attack_surface",
      "info",
      "What can be reached",
      [
        `groups: open=${count("open")}, allowlist=${count("allowlist")}`,
        `tools.elevated: ${state(at(config, "tools.elevated.enabled") !== false && at(config, "tools.elevated.allowFrom") !== undefined)}`,
        `hooks: ${state(at(config, "hooks.enabled") === true)}`,
        `browser control: ${state(at(config, "browser.enabled") !== false && at(config, "browser") !== undefined)}`,
      ].join("; "),
    ),
  ];
}
