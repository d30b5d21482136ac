import { asObject } from "@openclaw/app-kit";
import { type ConfigPath, type JsonObject, loadKeyFacts } from "@openclaw/config";
import { isAlive, readInstance } from "@openclaw/gateway/instance-file";
import type { CommandContext } from "../program/command-context.ts";

/** What a change of the config file means for the Gateway of this machine. */
export interface ChangeEffect {
  /** What the changed keys need. */
  readonly needs: "none" | "hot" | "restart";
  /** The Gateway that runs with this config, if one does. */
  readonly gateway: { readonly pid: number; readonly port: number } | null;
  /** For people. */
  readonly sentence: string;
}

/** Asks the schema what the changed keys need, and looks whether a Gateway runs. */
export async function effectOf(
  context: CommandContext,
  paths: readonly ConfigPath[],
  after: JsonObject,
): Promise<ChangeEffect> {
  const [{ reloadKind }, { planReload }] = await Promise.all([
    loadKeyFacts(),
    import("@openclaw/gateway/reload-plan"),
  ]);
  const { kind } = planReload(paths, "hybrid", reloadKind);
  const instance = readInstance(context.paths.stateDir);
  const gateway =
    instance !== undefined && isAlive(instance.pid)
      ? { pid: instance.pid, port: instance.port }
      : null;
  const mode = reloadModeOf(after);
  return { needs: kind, gateway, sentence: sentenceOf(kind, mode, gateway, context) };
}

type ReloadMode = "off" | "restart" | "hot" | "hybrid";

function sentenceOf(
  kind: ChangeEffect["needs"],
  mode: ReloadMode,
  gateway: ChangeEffect["gateway"],
  context: CommandContext,
): string {
  if (kind === "none") return "No restart is needed.";
  if (gateway === null) return "No Gateway runs here; it counts from the next start.";
  const who = `The running Gateway (pid ${gateway.pid})`;
  const byHand = `Restart the gateway to apply: ${context.commandLine("gateway restart")}`;
  if (mode === "off") return byHand;
  if (kind === "hot" && mode !== "restart") return `${who} applies it without a restart.`;
  return mode === "hot" ? byHand : `${who} restarts by itself to apply it.`;
}

function reloadModeOf({ gateway }: JsonObject): ReloadMode {
  const { mode } = asObject(asObject(gateway)["reload"]);
  return mode === "off" || mode === "restart" || mode === "hot" ? mode : "hybrid";
}
