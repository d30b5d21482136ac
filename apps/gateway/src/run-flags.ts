import type { GatewayRunFlags } from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";

/** How much of the traffic is logged; see {@link chooseWsLog}. */
export interface WsLogChoice {
  /** `off` logs nothing, `compact` a line for each answered request, `full` one for each frame. */
  readonly style: "off" | "compact" | "full";
  /** Level of those lines: what was asked for by name is shown, the rest belongs to `--verbose`. */
  readonly level: "info" | "debug";
}

const WS_LOG_STYLES = ["auto", "full", "compact"];

/** Flags for what other releases run inside the Gateway, and this one does not. */
const IDLE_FLAGS: readonly [keyof GatewayRunFlags, string, string][] = [
  ["rawStream", "--raw-stream", "runs no model whose stream could be written"],
  ["rawStreamPath", "--raw-stream-path", "runs no model whose stream could be written"],
  ["claudeCliLogs", "--claude-cli-logs", "starts no model program whose output could be shown"],
  ["ambientChannels", "--ambient-channels", "starts no channels, so none is taken from variables"],
];

/** What is wrong with the flags by themselves (R4); no file is looked at. */
export function refuseFlags(flags: GatewayRunFlags): StartRefusal | undefined {
  const { wsLog } = flags;
  if (wsLog !== undefined && !WS_LOG_STYLES.includes(wsLog)) {
    return {
      id: "R4",
      message: `unknown --ws-log ${JSON.stringify(wsLog)}`,
      hints: [`Allowed: ${WS_LOG_STYLES.join(", ")}.`],
      exitCode: 1,
    };
  }
  if (flags.reset === true && flags.dev !== true) {
    return {
      id: "R4",
      message: "--reset is for --dev only",
      hints: ["Give both, --dev --reset: it puts the development config and its state aside."],
      exitCode: 1,
    };
  }
  return undefined;
}

/** `auto`, the default, is `compact` with `--verbose` and nothing without it. */
export function chooseWsLog({ wsLog = "auto", compact, verbose }: GatewayRunFlags): WsLogChoice {
  if (compact === true || wsLog === "compact") return { style: "compact", level: "info" };
  if (wsLog === "full") return { style: "full", level: "info" };
  return { style: verbose === true ? "compact" : "off", level: "debug" };
}

/** A line for each flag that is taken for the sake of old scripts, and does nothing here. */
export function idleFlagWarnings(flags: GatewayRunFlags): string[] {
  return IDLE_FLAGS.filter(([key]) => flags[key] !== undefined && flags[key] !== false).map(
    ([, flag, reason]) => `${flag} does nothing: this Gateway ${reason}`,
  );
}
