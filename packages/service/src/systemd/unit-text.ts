import { ServiceError } from "../errors.ts";
import {
  resolveDefinition,
  type ResolvedDefinition,
  type ServiceDefinition,
} from "../definition/service-definition.ts";
import { escapeSpecifiers, quoteArgument, quoteWord } from "./quoting.ts";

/**
 * The systemd user unit of a service.
 *
 * The program stays in the foreground and systemd follows it: nothing here forks.
 *
 * @throws {@link ServiceError} `INVALID_DEFINITION`, `INVALID_NAME`, `SECRET_IN_UNIT`
 */
export function systemdUnit(definition: ServiceDefinition): string {
  const service = resolveDefinition(definition);
  return [
    section("Unit", [
      ["Description", escapeSpecifiers(withoutContinuation(service.description))],
      ["After", "network-online.target"],
      ["Wants", "network-online.target"],
      ...startLimit(service),
    ]),
    section("Service", [
      // Unlike simple, a program that cannot be started fails the start.
      ["Type", "exec"],
      ["ExecStart", commandLine(service.programArguments)],
      ...optional("WorkingDirectory", plainPath(service.workingDirectory)),
      ...Object.entries(service.environment).map(([name, value]): Line => [
        "Environment",
        quoteWord(`${name}=${value}`),
      ]),
      ...optional("EnvironmentFile", optionalFile(service.environmentFile)),
      ...restartLines(service),
      ["SuccessExitStatus", "0 143"],
      ["TimeoutStartSec", "30"],
      ["TimeoutStopSec", String(service.stopTimeoutSeconds)],
      // SIGTERM for the program alone, which ends what it has started; SIGKILL for whoever is left.
      ["KillMode", "mixed"],
      ["OOMPolicy", "continue"],
      ...hardening(service),
    ]),
    section("Install", [["WantedBy", "default.target"]]),
  ].join("\n");
}

type Line = readonly [key: string, value: string];

function section(name: string, lines: readonly Line[]): string {
  return `[${name}]\n${lines.map(([key, value]) => `${key}=${value}\n`).join("")}`;
}

/** A crash loop ends: the tenth failure within five minutes is the last. */
function startLimit({ restart }: ResolvedDefinition): Line[] {
  if (restart.when === "never") return [];
  return [
    ["StartLimitIntervalSec", "300"],
    ["StartLimitBurst", "10"],
  ];
}

function restartLines({ restart }: ResolvedDefinition): Line[] {
  if (restart.when === "never") return [["Restart", "no"]];
  return [
    ["Restart", restart.when],
    ["RestartSec", String(restart.delaySeconds)],
    ...optional("RestartPreventExitStatus", restart.exceptExitCodes.join(" ")),
  ];
}

/**
 * Gateways and nodes run what the user tells them to, sudo included. A tunnel runs ssh at most. Only
 * what a user's manager may set without privileges.
 */
function hardening({ kind }: ResolvedDefinition): Line[] {
  if (kind !== "tunnel") return [];
  return [
    ["UMask", "0077"],
    ["NoNewPrivileges", "yes"],
    ["LockPersonality", "yes"],
    ["RestrictRealtime", "yes"],
  ];
}

function commandLine([program, ...args]: ResolvedDefinition["programArguments"]): string {
  if (/["'\\]/u.test(program)) {
    throw new ServiceError(
      "INVALID_DEFINITION",
      `systemd runs no program with a quote or a backslash in its path: ${program}`,
    );
  }
  return [quoteWord(program), ...args.map((word) => quoteArgument(word))].join(" ");
}

function optional(key: string, value: string | undefined): Line[] {
  return value === undefined || value === "" ? [] : [[key, value]];
}

/** Such values are not unquoted, so what would be lost at their ends cannot be told to systemd. */
function plainPath(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (/^\s|[\s\\]$/u.test(path)) {
    throw new ServiceError(
      "INVALID_DEFINITION",
      `systemd cannot be told the path ${JSON.stringify(path)}: it begins or ends with white space or a backslash.`,
    );
  }
  return escapeSpecifiers(path);
}

/** `-`: the file may be missing. The path is a pattern, in which a backslash makes a character plain. */
function optionalFile(path: string | undefined): string | undefined {
  const plain = plainPath(path)?.replaceAll(/[*?[\]\\]/gu, String.raw`\$&`);
  return plain === undefined ? undefined : `-${plain}`;
}

/** A backslash at the end would take the next line in. */
function withoutContinuation(text: string): string {
  return text.replace(/\\+$/u, "");
}
