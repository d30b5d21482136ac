import { safeText } from "@openclaw/app-kit";
import {
  auditTunnelService,
  type Leftover,
  type ServiceKind,
  type ServiceRuntime,
  type ServiceStatus,
} from "@openclaw/service";
import type { CommandContext } from "../program/command-context.ts";
import { logHint } from "./log-hint.ts";

type Field = readonly [label: string, value: string | undefined];

/** What there is to say about the definition of a service. */
export function serviceFields(
  { style, paths, commandLine }: CommandContext,
  { label, loaded, loadedText, notLoadedText, command, configAudit }: ServiceStatus,
  kind: ServiceKind,
): Field[] {
  const isThere = command !== null || loaded || !configAudit.ok;
  if (!isThere) {
    return [
      ["Service:", `${label} (not installed)`],
      ["", style.dim(`to install it: ${commandLine(`${kind} install`)}`)],
    ];
  }
  const environment = Object.entries(command?.environment ?? {});
  return [
    ["Service:", `${label} (${loaded ? loadedText : notLoadedText})`],
    ["File logs:", logHint(paths.stateDir, label)],
    ["Command:", command === null ? undefined : safeText(command.programArguments.join(" "))],
    ["Service file:", command?.sourcePath],
    ["Working dir:", command?.workingDirectory && safeText(command.workingDirectory)],
    [
      "Service env:",
      environment.map(([name, value]) => `${name}=${safeText(value)}`).join(" ") || undefined,
    ],
    ...configAudit.issues.map(({ message, detail }): Field => [
      "Service audit:",
      style.warn(safeText(detail === undefined ? message : `${message} (${detail})`)),
    ]),
    [
      "",
      configAudit.ok
        ? undefined
        : style.dim(`to mend it: ${commandLine(`${kind} install --force`)}`),
    ],
  ];
}

/** Whether it runs, in the words of the supervisor and in one of ours. */
export function runtimeFields({ style }: CommandContext, runtime: ServiceRuntime): Field[] {
  return [
    ["Runtime:", runtimeText(runtime)],
    ["", runtime.status === "running" ? style.good("✅ Running") : style.bad("❌ Not running")],
  ];
}

export function runtimeText(runtime: ServiceRuntime): string {
  const { status, pid, state, subState, lastExitStatus, lastExitReason, detail } = runtime;
  const parts = [
    pid === undefined ? "" : `pid ${pid}`,
    state === undefined ? "" : `state ${safeText([state, subState].filter(Boolean).join("/"))}`,
    lastExitStatus === undefined || status === "running"
      ? ""
      : `last exit ${lastExitStatus}${lastExitReason === undefined ? "" : `, ${safeText(lastExitReason)}`}`,
    safeText(detail ?? ""),
  ].filter((part) => part !== "");
  return parts.length === 0 ? status : `${status} (${parts.join(", ")})`;
}

/** A service that is not ours, or no longer: for `extraServices`. */
export interface ExtraService {
  readonly label: string;
  readonly detail: string;
  readonly scope: "user" | "system";
}

export function extraServices(leftovers: readonly Leftover[]): ExtraService[] {
  return leftovers.map((leftover) => ({
    label: leftover.label,
    detail: detailOf(leftover, leftovers),
    scope: leftover.scope,
  }));
}

/** Extra services, and how to be rid of them. */
export function extraServiceFields(
  { style }: CommandContext,
  leftovers: readonly Leftover[],
): Field[] {
  return leftovers.flatMap((leftover): Field[] => [
    ["Extra service:", style.warn(safeText(`${leftover.label}: ${detailOf(leftover, leftovers)}`))],
    ["", style.dim(safeText(cleanUpCommand(leftover)))],
  ]);
}

function detailOf(leftover: Leftover, all: readonly Leftover[]): string {
  const { kind, path, reason, secrets, service } = leftover;
  const others = all.flatMap((other) => (other === leftover ? [] : (other.service ?? [])));
  const findings =
    kind === "tunnel" && service !== undefined
      ? auditTunnelService(service, { others }).filter(({ level }) => level === "broken")
      : [];
  return [
    `${kind}, ${path}.`,
    reason,
    ...(secrets.length === 0 ? [] : [`It holds secrets: ${secrets.join(", ")}.`]),
    ...findings.map(({ explanation, cure }) => `${explanation} ${cure}`),
  ].join(" ");
}

/** How a person is rid of it. */
export function cleanUpCommand({ supervisor, scope, label, path }: Leftover): string {
  switch (supervisor) {
    case "systemd":
      return scope === "user"
        ? `systemctl --user disable --now ${label} && rm ${path}`
        : `sudo systemctl disable --now ${label} && sudo rm ${path}`;
    case "launchd":
      return scope === "user"
        ? `launchctl bootout gui/$UID/${label}; mv ${path} ~/.Trash/`
        : `sudo launchctl bootout system/${label}; sudo rm ${path}`;
    case "schtasks":
      return `schtasks /Delete /F /TN "${label}"`;
  }
}
