import { type ConfigPath, formatConfigPath, type KeyFacts } from "@openclaw/config";

/** What `gateway.reload.mode` may say. */
export type ReloadMode = "off" | "restart" | "hot" | "hybrid";

/** What becomes of a changed config. */
export interface ReloadPlan {
  readonly kind: "none" | "hot" | "restart";
  /** Keys that the running Gateway takes on, as paths. */
  readonly hot: readonly string[];
  /** Keys that need a restart, as paths. */
  readonly restart: readonly string[];
  /** Of those, the keys that stay as they were, since the mode forbids what they need. */
  readonly left: readonly string[];
}

/** Keys that `Gateway.update` takes, wherever the schema speaks of a restart. */
const LIVE_KEYS: readonly (readonly string[])[] = [
  ["gateway", "auth", "mode"],
  ["gateway", "auth", "token"],
  ["gateway", "auth", "password"],
  ["gateway", "auth", "trustedProxy"],
  ["gateway", "controlUi", "allowedOrigins"],
  ["gateway", "trustedProxies"],
  ["gateway", "nodes", "allowCommands"],
  ["gateway", "nodes", "denyCommands"],
  ["gateway", "nodes", "commands"],
  ["gateway", "auth", "rateLimit"],
];

/** Decides what a running Gateway does for the keys that have changed. */
export function planReload(
  paths: readonly ConfigPath[],
  mode: ReloadMode,
  reloadKind: KeyFacts["reloadKind"],
): ReloadPlan {
  const kindOf = (path: ConfigPath): "none" | "hot" | "restart" =>
    isLive(path) ? "hot" : reloadKind(path);
  const named = (kind: string): string[] =>
    paths.filter((path) => kindOf(path) === kind).map(formatConfigPath);
  const hot = named("hot");
  const restart = named("restart");
  switch (mode) {
    case "off":
      return { kind: "none", hot: [], restart, left: [...hot, ...restart] };
    case "restart": {
      const needed = [...hot, ...restart];
      return { kind: needed.length > 0 ? "restart" : "none", hot: [], restart: needed, left: [] };
    }
    case "hot":
      return { kind: hot.length > 0 ? "hot" : "none", hot, restart, left: restart };
    case "hybrid":
      if (restart.length > 0) return { kind: "restart", hot, restart, left: [] };
      return { kind: hot.length > 0 ? "hot" : "none", hot, restart, left: [] };
  }
}

function isLive(path: ConfigPath): boolean {
  return LIVE_KEYS.some((live) => live.every((key, index) => path[index] === key));
}
