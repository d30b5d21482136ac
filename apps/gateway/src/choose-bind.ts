import { isIP } from "node:net";
import { CONFIG_EXIT, type StartRefusal } from "./start-refusal.ts";

/** Where a Gateway listens. */
export interface BindPlan {
  /** Addresses to listen on; every one of them, or the start fails. */
  readonly hosts: readonly string[];
  /** Addresses to listen on where the machine has them. */
  readonly optionalHosts: readonly string[];
  /** The tailnet has no address here yet: listen on it as soon as it has. */
  readonly awaitsTailnet?: boolean;
  readonly warnings: readonly string[];
}

/** What {@link chooseBind} decides by. */
export interface BindInput {
  /** A bind mode, as typed. */
  readonly bind: string;
  /** `--bind` said so, not the config. */
  readonly isFlag: boolean;
  readonly customBindHost: string | undefined;
  /** Addresses of this machine in its tailnet. */
  readonly tailnet: { readonly ipv4?: string; readonly ipv6?: string };
}

const BIND_MODES = ["loopback", "lan", "tailnet", "auto", "custom"];
const LOOPBACK = "127.0.0.1";
const LOOPBACK_V6 = "::1";

/** The addresses that a bind mode stands for; never more than it says. */
export function chooseBind(input: BindInput): BindPlan | StartRefusal {
  const { bind, isFlag } = input;
  switch (bind) {
    case "loopback":
    // Loopback can always be bound, which is what `auto` tries first.
    case "auto":
      return { hosts: [LOOPBACK], optionalHosts: [LOOPBACK_V6], warnings: [] };
    case "lan":
      return { hosts: ["0.0.0.0"], optionalHosts: ["::"], warnings: [] };
    case "custom":
      return custom(input);
    case "tailnet":
      return tailnet(input);
    default:
      return {
        id: "R4",
        message: `unknown ${isFlag ? "--bind" : "gateway.bind"} ${JSON.stringify(bind)}`,
        hints: [`Allowed: ${BIND_MODES.join(", ")}.`],
        exitCode: 1,
      };
  }
}

function custom({ customBindHost: host }: BindInput): BindPlan | StartRefusal {
  if (host === undefined || isIP(host) === 0) {
    return {
      id: "R14",
      message: `gateway.bind is custom, and gateway.customBindHost is ${host === undefined ? "not set" : `${JSON.stringify(host)}, which is no IP address`}`,
      hints: ["Set gateway.customBindHost to an IP address of this machine."],
      exitCode: CONFIG_EXIT,
    };
  }
  // A wildcard covers loopback already; beside any other address the host's own commands still
  // find the Gateway where they look first.
  const own = host === "0.0.0.0" || host === "::" ? [] : [LOOPBACK];
  return { hosts: [...new Set([host, ...own])], optionalHosts: [], warnings: [] };
}

function tailnet({ isFlag, tailnet: { ipv4, ipv6 } }: BindInput): BindPlan {
  const [first, ...others] = [ipv4, ipv6].filter((address) => address !== undefined);
  if (first !== undefined) {
    return { hosts: [first, LOOPBACK], optionalHosts: others, warnings: [] };
  }
  return {
    hosts: [LOOPBACK],
    optionalHosts: [],
    awaitsTailnet: true,
    warnings: [
      `${isFlag ? "--bind" : "gateway.bind"} is tailnet, and this machine has no tailnet address (100.64.0.0/10 or fd7a:115c:a1e0::/48): only this machine reaches the Gateway until it has one. Is Tailscale up? Try: tailscale status`,
    ],
  };
}
