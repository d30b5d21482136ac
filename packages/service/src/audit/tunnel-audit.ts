import type { ParsedService } from "../definition/parsed-service.ts";
import type { ServiceDefinition } from "../definition/service-definition.ts";
import { findSshCommands, type SshArguments } from "./ssh-arguments.ts";

/**
 * What is wrong with a tunnel that somebody supervises.
 *
 * - `tunnel-forks-under-supervision`: ssh goes to the background while the supervisor watches it.
 * - `tunnel-without-exit-on-forward-failure`: it keeps running when it forwards nothing.
 * - `tunnel-without-keepalive`: it keeps running when the other side is gone.
 * - `tunnel-may-prompt`: it may wait for a password that nobody can type.
 * - `tunnel-port-taken-twice`: two services want one local port.
 * - `tunnel-kills-port-holder`: it ends whatever holds the port, which may be something else.
 */
export type TunnelFindingCode =
  | "tunnel-forks-under-supervision"
  | "tunnel-without-exit-on-forward-failure"
  | "tunnel-without-keepalive"
  | "tunnel-may-prompt"
  | "tunnel-port-taken-twice"
  | "tunnel-kills-port-holder";

/** A mistake, what it leads to, and what ends it. */
export interface TunnelFinding {
  readonly code: TunnelFindingCode;
  /** `broken`: it cannot work as it is. `risky`: it works until something goes wrong. */
  readonly level: "broken" | "risky";
  readonly explanation: string;
  readonly cure: string;
}

export interface TunnelAuditOptions {
  /** Other services of the machine, with which it may collide. */
  readonly others?: readonly ParsedService[];
  /** Settings that a host has in ssh_config, by lower-case name, as `ssh -G` prints them. */
  readonly hostSettings?: (destination: string) => ReadonlyMap<string, string> | undefined;
  /** Local ports of `LocalForward` that a host has in ssh_config. */
  readonly hostPorts?: (destination: string) => readonly number[];
}

type Audited = ParsedService | ServiceDefinition;

/** Looks for the mistakes of the well-known tutorials, and some more. */
export function auditTunnelService(
  service: Audited,
  options: TunnelAuditOptions = {},
): TunnelFinding[] {
  const tunnels = findSshCommands(service.programArguments);
  return [
    ...tunnels.flatMap((tunnel) => [
      ...forkFindings(service, tunnel),
      ...settingFindings(tunnel, options),
    ]),
    ...portFindings(service, tunnels, options),
    ...killFindings(service),
  ];
}

function forkFindings(service: Audited, { forks }: SshArguments): TunnelFinding[] {
  if (!forks) return [];
  const how = supervision(service);
  if (how === undefined) return [];
  return [
    {
      code: "tunnel-forks-under-supervision",
      level: "broken",
      explanation: `ssh -f goes to the background, so the process that ${how} watches ends at once. It is started again for ever, and every copy after the first fails with "Address already in use".`,
      cure: "Remove -f (and ForkAfterAuthentication): the supervisor is what keeps ssh in the background.",
    },
  ];
}

/** Why a program must not fork here; undefined where it may. */
function supervision(service: Audited): string | undefined {
  if (!("supervisor" in service)) {
    return service.restart?.when === "never" ? undefined : "the service's supervisor";
  }
  if (service.supervisor === "launchd") {
    return service.restart === "never" ? undefined : "launchd, told KeepAlive,";
  }
  if (service.supervisor === "systemd") {
    return service.type === "forking"
      ? undefined
      : `systemd, told Type=${service.type ?? "simple"},`;
  }
  return service.restart === "never" ? undefined : "the Task Scheduler";
}

function settingFindings(
  { options, destination }: SshArguments,
  { hostSettings }: TunnelAuditOptions,
): TunnelFinding[] {
  const host = destination === undefined ? undefined : hostSettings?.(destination);
  const setting = (name: string): string | undefined => options.get(name) ?? host?.get(name);
  return [
    ...(setting("exitonforwardfailure") === "yes"
      ? []
      : [
          {
            code: "tunnel-without-exit-on-forward-failure",
            level: "risky",
            explanation:
              "When the port is taken, ssh says so once and runs on: the service looks well and forwards nothing.",
            cure: "Add -o ExitOnForwardFailure=yes.",
          } as const,
        ]),
    ...(Number(setting("serveraliveinterval") ?? 0) > 0
      ? []
      : [
          {
            code: "tunnel-without-keepalive",
            level: "risky",
            explanation:
              "When the network changes or the machine sleeps, ssh does not notice for hours that the other side is gone.",
            cure: "Add -o ServerAliveInterval=15 -o ServerAliveCountMax=3.",
          } as const,
        ]),
    ...(["yes", "true"].includes(setting("batchmode") ?? "")
      ? []
      : [
          {
            code: "tunnel-may-prompt",
            level: "risky",
            explanation:
              "Without a terminal nobody can type a password or accept a host key, and ssh may wait for one.",
            cure: "Add -o BatchMode=yes, and use a key.",
          } as const,
        ]),
  ];
}

function portFindings(
  service: Audited,
  tunnels: readonly SshArguments[],
  { others = [], hostPorts }: TunnelAuditOptions,
): TunnelFinding[] {
  const portsOf = (commands: readonly SshArguments[]): Set<number> =>
    new Set(
      commands.flatMap(({ localPorts, destination }) => [
        ...localPorts,
        ...(destination === undefined ? [] : (hostPorts?.(destination) ?? [])),
      ]),
    );
  const own = portsOf(tunnels);
  // Without ports of their own, two tunnels to one alias open what that alias forwards.
  const aliases = new Set(
    tunnels
      .filter(({ localPorts }) => localPorts.length === 0)
      .map(({ destination }) => destination),
  );
  return others.flatMap((other) => {
    if (other === service) return [];
    const theirs = findSshCommands(other.programArguments);
    const shared = [...portsOf(theirs)].filter((port) => own.has(port));
    const alias = theirs.find(
      ({ localPorts, destination }) =>
        localPorts.length === 0 && destination !== undefined && aliases.has(destination),
    )?.destination;
    const what =
      shared.length > 0 ? `port ${shared.join(", ")}` : alias && `the ports that ${alias} forwards`;
    if (what === undefined) return [];
    return [
      {
        code: "tunnel-port-taken-twice",
        level: "broken",
        explanation: `${other.label ?? "Another service"} opens ${what} as well: one of the two always fails, and comes back to fail again.`,
        cure: "Keep one of the two, or give one of them another local port in -L.",
      } as const,
    ];
  });
}

/** `kill` fed with what listens on a port. */
const KILLS =
  /\bfuser\b[^|;&\n]*\s-\w*k|\blsof\b[^;&\n]*\|[^;&\n]*\bkill\b|\bkill\b[^;&\n]*(?:\$\(|`)[^)`]*\b(?:lsof|fuser|ss|netstat)\b|\bpkill\b[^|;&\n]*\bssh\b|\bkillall\b[^|;&\n]*\bssh\b/u;

function killFindings(service: Audited): TunnelFinding[] {
  const commands = [
    service.programArguments,
    ...("otherCommands" in service ? service.otherCommands : []),
  ];
  if (!commands.some((words) => KILLS.test(words.join(" ")))) return [];
  return [
    {
      code: "tunnel-kills-port-holder",
      level: "risky",
      explanation:
        "It ends whatever listens on the port, or every ssh: that may be your Gateway, another tunnel, or a session you work in.",
      cure: "Remove that command. When the port is taken, look who holds it: openclaw gateway status.",
    },
  ];
}
