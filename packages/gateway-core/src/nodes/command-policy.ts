/** The platforms that have a set of commands of their own. */
export type NodePlatform =
  | "ios"
  | "watchos"
  | "android"
  | "macos"
  | "windows"
  | "linux"
  | "unknown";

const CANVAS = [
  "canvas.present",
  "canvas.hide",
  "canvas.navigate",
  "canvas.eval",
  "canvas.snapshot",
  "canvas.a2ui.push",
  "canvas.a2ui.pushJSONL",
  "canvas.a2ui.reset",
];
const CAMERA = ["camera.list", "camera.snap", "camera.clip"];
const SCREEN = ["screen.record", "screen.snapshot"];
const PERSONAL = [
  "contacts.search",
  "calendar.events",
  "reminders.list",
  "photos.latest",
  "motion.activity",
  "motion.pedometer",
];
const DEVICE = ["device.info", "device.status"];
const HOST = [
  "system.run",
  "system.run.prepare",
  "system.which",
  "system.notify",
  "system.execApprovals.get",
  "system.execApprovals.set",
  "fs.listDir",
  "terminal.upload",
  "browser.proxy",
  "browser.proxy.upload.v1",
  "mcp.tools.call.v1",
  "agent.cli.claude.run.v1",
  "screen.snapshot",
  "desktop.stream",
];
const MOBILE = [
  ...CANVAS,
  ...CAMERA,
  ...SCREEN,
  ...DEVICE,
  ...PERSONAL,
  "location.get",
  "system.notify",
];

/**
 * What a node may be asked without configuration: the sets of the 1.x line and the harmless ones
 * that came later. Everything here still needs an operator's approval of the node's surface. A
 * platform that we do not recognise gets the short list of the newest releases.
 */
const DEFAULT_COMMANDS: Readonly<Record<NodePlatform, ReadonlySet<string>>> = {
  ios: new Set([...MOBILE, "system.run", "system.which", "watch.status", "watch.notify"]),
  watchos: new Set([...DEVICE, "system.notify"]),
  android: new Set([
    ...MOBILE,
    "sms.send",
    "notifications.list",
    "notifications.actions",
    "device.permissions",
    "device.health",
    "device.apps",
    "callLog.search",
    "mobile.ui.observe",
    "mobile.ui.act",
  ]),
  macos: new Set([...MOBILE, ...HOST, "camera.ptz.status", "device.apps", "computer.act"]),
  windows: new Set([...HOST, ...DEVICE, "camera.list", "location.get", "computer.act"]),
  linux: new Set([...HOST, "camera.list", "location.get", "computer.act"]),
  unknown: new Set(["camera.list", "location.get", "system.notify"]),
};

const TALK = new Set(["talk.ptt.start", "talk.ptt.stop", "talk.ptt.cancel", "talk.ptt.once"]);

/** The platform behind what a node calls itself: `linux`, `darwin`, `macOS 15.1`, `Android 15 (SDK 35)` … */
export function nodePlatform(
  platform: string | undefined,
  deviceFamily: string | undefined,
): NodePlatform {
  const named = fromName(platform ?? "");
  return named === "unknown" ? fromFamily(deviceFamily ?? "") : named;
}

function fromName(platform: string): NodePlatform {
  const name = platform.trim().toLowerCase();
  if (name.startsWith("ios") || name.startsWith("ipados")) return "ios";
  if (name.startsWith("watchos")) return "watchos";
  if (name.startsWith("android")) return "android";
  if (name.startsWith("mac") || name.startsWith("darwin")) return "macos";
  if (name.startsWith("win")) return "windows";
  if (name.startsWith("linux")) return "linux";
  return "unknown";
}

function fromFamily(deviceFamily: string): NodePlatform {
  const family = deviceFamily.trim().toLowerCase();
  if (family.includes("watch")) return "watchos";
  if (family.includes("iphone") || family.includes("ipad") || family === "ios") return "ios";
  if (family.includes("android")) return "android";
  if (family.includes("mac")) return "macos";
  if (family.includes("windows")) return "windows";
  if (family.includes("linux")) return "linux";
  return "unknown";
}

export interface CommandPolicy {
  /** Whether the configuration and the platform let a node offer this command at all. */
  allows(platform: NodePlatform, command: string): boolean;
  /** Takes another configuration from now on. */
  configure(options: { allow: ReadonlySet<string>; deny: ReadonlySet<string> }): void;
}

/** Platform defaults, plus what the configuration allows, minus what it denies; exact names, deny wins. */
export function createCommandPolicy(options: {
  allow: ReadonlySet<string>;
  deny: ReadonlySet<string>;
}): CommandPolicy {
  let { allow, deny } = options;
  return {
    configure(changed) {
      ({ allow, deny } = changed);
    },
    allows(platform, command) {
      if (deny.has(command)) return false;
      return allow.has(command) || DEFAULT_COMMANDS[platform].has(command) || TALK.has(command);
    },
  };
}

/** Why a command was refused, in the words and the `details` of wire §7.5. */
export interface CommandRefusal {
  message: string;
  details: { reason: string; command: string; hint?: string };
}

/** Explains why `command` is not in a node's effective set; for the slow path only. */
export function explainRefusal(
  policy: CommandPolicy,
  node: { platform: NodePlatform; declared: readonly string[] },
  command: string,
): CommandRefusal {
  const { platform, declared } = node;
  if (command.trim() === "") {
    return {
      message: "node command not allowed: command required",
      details: { reason: "command required", command },
    };
  }
  if (declared.length === 0 || !declared.includes(command)) {
    return {
      message: `node command not allowed: the node (platform: ${platform}) does not support "${command}"`,
      details: {
        reason:
          declared.length === 0 ? "node did not declare commands" : "command not declared by node",
        command,
      },
    };
  }
  if (!policy.allows(platform, command)) {
    return {
      message: `node command not allowed: "${command}" is not in the allowlist for platform "${platform}"`,
      details: {
        reason: "command not allowlisted",
        command,
        hint: `Add "${command}" to gateway.nodes.commands.allow, unless it stands in .deny.`,
      },
    };
  }
  return {
    message: `node command not allowed: "${command}" awaits an operator's approval`,
    details: {
      reason: "command not approved",
      command,
      hint: "Approve the node's wider surface: openclaw nodes pending, openclaw nodes approve <id>.",
    },
  };
}
