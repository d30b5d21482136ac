import { ServiceError } from "../errors.ts";

/** What a service runs. */
export type ServiceKind = "gateway" | "node" | "tunnel";

/** Everything that a service is called by, on each system. */
export interface ServiceNames {
  /** Without `.plist`. */
  readonly launchdLabel: string;
  /** With `.service`. */
  readonly systemdUnit: string;
  readonly windowsTask: string;
  /** File name of the script that the Windows task runs. */
  readonly scriptName: string;
  /** First part of the names of its log files. */
  readonly logPrefix: string;
}

/** Names that replace those of the table, as `OPENCLAW_LAUNCHD_LABEL` and its like ask for. */
export type ServiceNameOverrides = { readonly [K in keyof ServiceNames]?: string | undefined };

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/iu;
/** Profiles of which the short launchd label would be that of another service. */
const TAKEN_LABELS: ReadonlySet<string> = new Set(["gateway", "node", "ssh-tunnel"]);

/**
 * The names of a service. A profile `work` has a Gateway `ai.openclaw.work`,
 * `openclaw-gateway-work.service`, `OpenClaw Gateway (work)`; nodes and tunnels follow the pattern.
 * `default` is no profile.
 *
 * No two services share a name: a tunnel's suffix is its name, or with a profile `work.box`, and
 * names hold no dot.
 *
 * @param name tells the tunnels of one profile apart; gateways and nodes have none.
 * @throws {@link ServiceError} `INVALID_NAME`
 */
export function serviceNames(kind: ServiceKind, profile?: string, name?: string): ServiceNames {
  const ownProfile = checked("profile", profile);
  const ownName = checked("name", name);
  if (kind !== "tunnel" && ownName !== undefined) {
    throw new ServiceError("INVALID_NAME", `a ${kind} has a profile and no name of its own.`);
  }
  switch (kind) {
    case "gateway":
      return {
        launchdLabel: gatewayLabel(ownProfile),
        ...otherNames(
          { unit: "openclaw-gateway", task: "OpenClaw Gateway", script: "gateway" },
          ownProfile,
        ),
      };
    case "node":
      return {
        launchdLabel: withSuffix("ai.openclaw.node", ".", ownProfile),
        ...otherNames({ unit: "openclaw-node", task: "OpenClaw Node", script: "node" }, ownProfile),
      };
    case "tunnel": {
      const suffix = ownProfile === undefined ? ownName : `${ownProfile}.${ownName ?? "default"}`;
      return {
        launchdLabel: withSuffix("ai.openclaw.ssh-tunnel", ".", suffix),
        ...otherNames(
          { unit: "openclaw-ssh-tunnel", task: "OpenClaw SSH Tunnel", script: "ssh-tunnel" },
          suffix,
          // The tunnels of one profile share its state directory.
          ownName,
        ),
      };
    }
  }
}

/**
 * Replaces names by those that were asked for.
 *
 * @throws {@link ServiceError} `INVALID_NAME` when one of them could lead to another file or task.
 */
export function overrideNames(names: ServiceNames, overrides: ServiceNameOverrides): ServiceNames {
  const merged: Record<keyof ServiceNames, string> = { ...names };
  // Object.entries forgets which keys an object has.
  for (const [key, value] of Object.entries(overrides) as [
    keyof ServiceNames,
    string | undefined,
  ][]) {
    if (value === undefined || value.trim() === "") continue;
    merged[key] = key === "systemdUnit" ? value.replace(/(?:\.service)?$/u, ".service") : value;
    if (!OVERRIDE_PATTERNS[key].test(merged[key])) {
      throw new ServiceError(
        "INVALID_NAME",
        `${JSON.stringify(value.slice(0, 80))} is no ${OVERRIDE_WORDS[key]}.`,
      );
    }
  }
  return merged;
}

const OVERRIDE_PATTERNS: Readonly<Record<keyof ServiceNames, RegExp>> = {
  launchdLabel: /^[a-z0-9][a-z0-9._-]{0,200}$/iu,
  systemdUnit: /^[a-z0-9][a-z0-9:._-]{0,200}\.service$/iu,
  windowsTask: /^[a-z0-9][a-z0-9 ._()-]{0,200}$/iu,
  scriptName: /^[a-z0-9][a-z0-9._-]{0,100}\.cmd$/iu,
  logPrefix: /^[a-z0-9][a-z0-9._-]{0,100}$/iu,
};

const OVERRIDE_WORDS: Readonly<Record<keyof ServiceNames, string>> = {
  launchdLabel: "launchd label",
  systemdUnit: "name of a systemd unit",
  windowsTask: "name of a scheduled task",
  scriptName: "name of a .cmd script",
  logPrefix: "first part of a log file's name",
};

interface BaseNames {
  unit: string;
  task: string;
  script: string;
}

function otherNames(
  { unit, task, script }: BaseNames,
  suffix: string | undefined,
  // A profile has a state directory of its own, so its script needs no suffix.
  scriptSuffix?: string,
): Omit<ServiceNames, "launchdLabel"> {
  const file = withSuffix(script, "-", scriptSuffix);
  return {
    systemdUnit: `${withSuffix(unit, "-", suffix)}.service`,
    windowsTask: suffix === undefined ? task : `${task} (${suffix})`,
    scriptName: `${file}.cmd`,
    logPrefix: file,
  };
}

function gatewayLabel(profile: string | undefined): string {
  if (profile === undefined) return "ai.openclaw.gateway";
  return TAKEN_LABELS.has(profile.toLowerCase())
    ? `ai.openclaw.gateway.${profile}`
    : `ai.openclaw.${profile}`;
}

function withSuffix(base: string, separator: string, suffix: string | undefined): string {
  return suffix === undefined ? base : `${base}${separator}${suffix}`;
}

function checked(what: string, value: string | undefined): string | undefined {
  if (value === undefined || value.toLowerCase() === "default") return undefined;
  if (NAME.test(value)) return value;
  throw new ServiceError(
    "INVALID_NAME",
    `${what} ${JSON.stringify(value.slice(0, 80))} is not allowed: use letters, digits, "-" and "_", at most 64, beginning with a letter or digit.`,
  );
}
