import { formatConfigPath, valueAtPath, type ConfigPath } from "../edit/config-path.ts";
import { diffConfigs } from "../edit/config-diff.ts";
import { type ConfigEdit, editValue } from "../edit/edit-text.ts";
import { isObject, type JsonObject } from "../json.ts";
import { OLD_BIND_WORDS } from "../schema/moved-keys.ts";

/** A key of an earlier release. */
export interface LegacyKey {
  /** Dotted path, as `parseConfigPath` reads it. */
  path: string;
  /** What becomes of it, one sentence without the full stop. */
  message: string;
  /** Where its value goes; missing when it is dropped. */
  to?: string;
}

/** How a config of an earlier release is brought up to date. */
export interface LegacyPlan {
  readonly keys: LegacyKey[];
  /** For `editConfigFile`; none when there is nothing to do. */
  readonly edits: ConfigEdit[];
}

const CHANNELS = ["whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"];
const REMOVED: readonly (readonly string[])[] = [
  ["gateway", "tailscale", "serviceName"],
  ["gateway", "channelHealthCheckMinutes"],
  ["gateway", "channelStaleEventThresholdMinutes"],
  ["gateway", "channelMaxRestartsPerHour"],
];
/** Parts of the former `agent` section that belong to the tools now. */
const AGENT_TOOLS: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["agent", "tools"], ["tools"]],
  [
    ["agent", "elevated"],
    ["tools", "elevated"],
  ],
  [
    ["agent", "bash"],
    ["tools", "exec"],
  ],
  [
    ["agent", "sandbox", "tools"],
    ["tools", "sandbox", "tools"],
  ],
  [
    ["agent", "subagents", "tools"],
    ["tools", "subagents", "tools"],
  ],
];

/**
 * What has to change in a config for keys of earlier releases to be where this one looks for them. A
 * value that is there already stays, and the former one is dropped. Nothing is read or written.
 *
 * @param config the config as it is written in one file.
 */
export function planLegacyKeys(config: JsonObject): LegacyPlan {
  const rewriting = new Rewriting(config);
  rewriteGateway(rewriting);
  rewriteChannels(rewriting);
  rewriteRouting(rewriting);
  rewriteAgent(rewriting);
  rewriteTools(rewriting);
  const edits = diffConfigs(config, rewriting.config).map(({ path, after }): ConfigEdit => ({
    path,
    value: after,
  }));
  return { keys: rewriting.keys, edits };
}

function rewriteGateway(rewriting: Rewriting): void {
  if (rewriting.move(["gateway", "token"], ["gateway", "auth", "token"])) {
    rewriting.setIfMissing(["gateway", "auth", "mode"], "token");
  }
  rewriting.move(["gateway", "password"], ["gateway", "auth", "password"]);
  for (const path of REMOVED) rewriting.drop(path);
  const bind = rewriting.at(["gateway", "bind"]);
  const mode = typeof bind === "string" ? OLD_BIND_WORDS[bind] : undefined;
  if (mode !== undefined && Object.hasOwn(OLD_BIND_WORDS, String(bind))) {
    rewriting.replace(
      ["gateway", "bind"],
      mode,
      `the address ${String(bind)} is called "${mode}" now`,
    );
  }
}

function rewriteChannels(rewriting: Rewriting): void {
  for (const channel of CHANNELS) rewriting.move([channel], ["channels", channel]);
  const providers = rewriting.at(["providers"]);
  for (const channel of Object.keys(isObject(providers) ? providers : {})) {
    rewriting.move(["providers", channel], ["channels", channel]);
  }
  rewriting.dropEmpty(["providers"]);
  rewriting.move(
    ["channels", "telegram", "requireMention"],
    ["channels", "telegram", "groups", "*", "requireMention"],
  );
}

function rewriteRouting(rewriting: Rewriting): void {
  rewriting.move(["routing", "allowFrom"], ["channels", "whatsapp", "allowFrom"]);
  const mention = rewriting.at(["routing", "groupChat", "requireMention"]);
  if (mention !== undefined) {
    const present = ["whatsapp", "telegram", "imessage"].filter((channel) =>
      isObject(rewriting.at(["channels", channel])),
    );
    const targets = present.length > 0 ? present : ["whatsapp"];
    const paths = targets.map((channel) => ["channels", channel, "groups", "*", "requireMention"]);
    rewriting.copy(["routing", "groupChat", "requireMention"], paths);
  }
  rewriting.moveMembers(["routing", "groupChat"], ["messages", "groupChat"]);
  rewriting.move(["routing", "bindings"], ["bindings"]);
  rewriting.move(["routing", "queue"], ["messages", "queue"]);
  rewriteAgentList(rewriting);
  rewriting.dropEmpty(["routing"]);
}

/** Agents by id became a list. */
function rewriteAgentList(rewriting: Rewriting): void {
  const former = rewriting.at(["routing", "agents"]);
  if (isObject(former)) {
    for (const [id, agent] of Object.entries(former)) {
      const path = rewriting.agentPath(id);
      const { id: _, ...rest } = isObject(agent) ? agent : {};
      rewriting.copy(["routing", "agents", id], [path], { id, ...rest });
    }
    rewriting.dropEmpty(["routing", "agents"]);
  }
  const defaultId = rewriting.at(["routing", "defaultAgentId"]);
  if (typeof defaultId === "string" && defaultId !== "") {
    const path = rewriting.agentPath(defaultId);
    rewriting.setIfMissing([...path, "id"], defaultId);
    rewriting.copy(["routing", "defaultAgentId"], [[...path, "default"]], true);
  }
}

function rewriteAgent(rewriting: Rewriting): void {
  if (rewriting.at(["identity"]) !== undefined) {
    const path = rewriting.defaultAgentPath();
    rewriting.setIfMissing([...path, "id"], "main");
    rewriting.move(["identity"], [...path, "identity"]);
  }
  for (const [from, to] of AGENT_TOOLS) rewriting.move(from, to);
  for (const key of ["model", "imageModel"]) {
    if (typeof rewriting.at(["agent", key]) === "string") {
      rewriting.move(["agent", key], ["agents", "defaults", key, "primary"]);
    }
  }
  rewriting.move(["agent", "modelFallbacks"], ["agents", "defaults", "model", "fallbacks"]);
  rewriting.move(
    ["agent", "imageModelFallbacks"],
    ["agents", "defaults", "imageModel", "fallbacks"],
  );
  rewriting.moveMembers(["agent"], ["agents", "defaults"]);
}

function rewriteTools(rewriting: Rewriting): void {
  rewriting.move(["tools", "bash"], ["tools", "exec"]);
  const agents = rewriting.at(["agents", "list"]);
  for (const index of Array.isArray(agents) ? agents.keys() : []) {
    const path = ["agents", "list", index, "tools"];
    rewriting.move([...path, "bash"], [...path, "exec"]);
  }
  const spoken = rewriting.at(["messages", "tts", "enabled"]);
  if (typeof spoken === "boolean") {
    const auto = spoken ? "always" : "off";
    rewriting.copy(["messages", "tts", "enabled"], [["messages", "tts", "auto"]], auto);
  }
}

/** A config on its way from the former keys to the present ones. */
class Rewriting {
  readonly keys: LegacyKey[] = [];
  config: unknown;

  constructor(config: JsonObject) {
    this.config = config;
  }

  at(path: ConfigPath): unknown {
    return valueAtPath(this.config, path);
  }

  /** Moves a value; where there is one already, objects are merged and of anything else it stays. */
  move(from: ConfigPath, to: ConfigPath): boolean {
    const value = this.at(from);
    if (value === undefined) return false;
    this.copy(from, [to], value);
    return true;
  }

  /** Moves the members of an object one by one. */
  moveMembers(from: ConfigPath, to: ConfigPath): void {
    const members = this.at(from);
    if (!isObject(members)) return;
    for (const key of Object.keys(members)) this.move([...from, key], [...to, key]);
    this.dropEmpty(from);
  }

  /** Puts a value, by default the former one, in several places, and takes the former key away. */
  copy(from: ConfigPath, targets: readonly ConfigPath[], value: unknown = this.at(from)): void {
    this.#set(from, undefined);
    for (const to of targets) this.setIfMissing(to, value);
    const names = targets.map(formatConfigPath).join(" and ");
    this.keys.push({
      path: formatConfigPath(from),
      to: names,
      message: `this key is now ${names}`,
    });
  }

  replace(path: ConfigPath, value: unknown, message: string): void {
    this.#set(path, value);
    this.keys.push({ path: formatConfigPath(path), to: formatConfigPath(path), message });
  }

  drop(path: ConfigPath): void {
    if (this.at(path) === undefined) return;
    this.#set(path, undefined);
    this.keys.push({ path: formatConfigPath(path), message: "this key has no meaning any more" });
  }

  /** Takes an object away of which nothing is left, or which was empty from the beginning. */
  dropEmpty(path: ConfigPath): void {
    const value = this.at(path);
    if (!isObject(value) || Object.keys(value).length > 0) return;
    const name = formatConfigPath(path);
    const isTold = this.keys.some((key) => key.path.startsWith(`${name}.`));
    if (isTold) this.#set(path, undefined);
    else this.drop(path);
  }

  setIfMissing(path: ConfigPath, value: unknown): void {
    const present = this.at(path);
    this.#set(path, present === undefined ? value : mergedUnder(present, value));
  }

  /** Where an agent is in the list, or would be. */
  agentPath(id: string): ConfigPath {
    return this.#agentPath((agent) => agent["id"] === id);
  }

  defaultAgentPath(): ConfigPath {
    const list = this.at(["agents", "list"]);
    const hasDefault =
      Array.isArray(list) && list.some((agent) => isObject(agent) && agent["default"] === true);
    return this.#agentPath((agent) => !hasDefault || agent["default"] === true);
  }

  #agentPath(isWanted: (agent: JsonObject) => boolean): ConfigPath {
    const list: readonly unknown[] = toList(this.at(["agents", "list"]));
    const index = list.findIndex((agent) => isObject(agent) && isWanted(agent));
    return ["agents", "list", index < 0 ? list.length : index];
  }

  #set(path: ConfigPath, value: unknown): void {
    this.config = editValue(this.config, { path, value });
  }
}

/** What is there, with what it lacks. */
function mergedUnder(present: unknown, former: unknown): unknown {
  if (!isObject(present) || !isObject(former)) return present;
  const added = Object.entries(former).filter(([key]) => !Object.hasOwn(present, key));
  const kept = Object.entries(present).map(([key, value]): [string, unknown] => [
    key,
    Object.hasOwn(former, key) ? mergedUnder(value, former[key]) : value,
  ]);
  return Object.fromEntries([...kept, ...added]);
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
