import type { OpenClawConfig, ServerAuth } from "@openclaw/config";
import { CONFIG_EXIT, type StartRefusal } from "./start-refusal.ts";

/** What Tailscale does for a Gateway. */
export interface TailscalePlan {
  readonly mode: "off" | "serve" | "funnel";
  /** Take the route back when the Gateway stops. */
  readonly resetOnExit: boolean;
  /** Whoever Serve vouches for needs no secret. */
  readonly allowIdentity: boolean;
}

/** What {@link chooseTailscale} decides by. */
export interface TailscaleInput {
  /** `--tailscale`, as typed. */
  readonly flag: string | undefined;
  readonly resetFlag: boolean;
  readonly gateway: NonNullable<OpenClawConfig["gateway"]>;
  readonly auth: ServerAuth;
  readonly bind: string;
  readonly hosts: readonly string[];
}

/** The exposure asked for, or why it would not be safe (R5, R9, R10). */
export function chooseTailscale(input: TailscaleInput): TailscalePlan | StartRefusal {
  const { flag, gateway, auth } = input;
  const mode = flag ?? gateway.tailscale?.mode ?? "off";
  const key = flag === undefined ? "gateway.tailscale.mode" : "--tailscale";
  if (mode !== "off" && mode !== "serve" && mode !== "funnel") {
    return {
      id: "R5",
      message: `unknown ${key} ${JSON.stringify(mode)}`,
      hints: ["Allowed: off, serve, funnel."],
      exitCode: 1,
    };
  }
  if (mode === "funnel" && auth.mode !== "password") return funnelWithoutPassword(key, auth.mode);
  if (mode === "serve" && auth.mode === "none") {
    return {
      id: "R8",
      message: `${key} is serve, and auth mode is none: everybody in the tailnet would be let in`,
      hints: [
        "Set gateway.auth.token or gateway.auth.password; with a token, gateway.auth.allowTailscale lets the tailnet's users in by their identity.",
      ],
      exitCode: CONFIG_EXIT,
    };
  }
  if (mode !== "off" && !input.hosts.every(isLoopback)) {
    return {
      id: "R10",
      message: `${key} is ${mode}, which needs gateway.bind to be loopback; it is ${input.bind} (${input.hosts.join(", ")})`,
      hints: [
        `Set gateway.bind to loopback, or ${key} to off: bind tailnet reaches the tailnet by itself.`,
      ],
      exitCode: CONFIG_EXIT,
    };
  }
  return {
    mode,
    resetOnExit: input.resetFlag || gateway.tailscale?.resetOnExit === true,
    // Funnel is the internet: it carries no identity. A password was chosen to be asked for.
    allowIdentity: mode === "serve" && (gateway.auth?.allowTailscale ?? auth.mode !== "password"),
  };
}

function funnelWithoutPassword(key: string, mode: string): StartRefusal {
  return {
    id: "R9",
    message: `${key} is funnel, which is open to the internet and needs auth mode password; it is ${mode}`,
    hints: [
      "Set gateway.auth.mode to password, and gateway.auth.password or OPENCLAW_GATEWAY_PASSWORD to a long one; or use serve, which stays in the tailnet.",
    ],
    exitCode: CONFIG_EXIT,
  };
}

function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}
