import type { ParsedService } from "../definition/parsed-service.ts";

/** What a supervisor knows of a service's process. Absent is what it does not tell. */
export interface ServiceRuntime {
  readonly status: "running" | "stopped" | "unknown";
  /** The supervisor's own word. */
  readonly state?: string;
  readonly subState?: string;
  readonly pid?: number;
  readonly lastExitStatus?: number;
  readonly lastExitReason?: string;
  readonly lastRunResult?: string;
  readonly lastRunTime?: string;
  readonly detail?: string;
  /** launchd knows the label, and its file is gone. */
  readonly cachedLabel?: boolean;
  /** The supervisor knows no such service. */
  readonly missingUnit?: boolean;
}

export type AuditLevel = "recommended" | "aggressive";

/** Something about a definition that should be otherwise. */
export interface AuditIssue {
  /** Stable, for code to branch on. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  /** `aggressive`: mending it replaces what somebody may have chosen. */
  readonly level: AuditLevel;
}

export interface ConfigAudit {
  readonly ok: boolean;
  readonly issues: readonly AuditIssue[];
}

/** The definition as it may be shown: only harmless variables. */
export interface ShownCommand {
  readonly programArguments: readonly string[];
  readonly workingDirectory?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly sourcePath: string;
}

/** A service as the machine has it. */
export interface ServiceStatus {
  readonly label: string;
  /** Whether it starts by itself at login. */
  readonly loaded: boolean;
  readonly loadedText: string;
  readonly notLoadedText: string;
  /** null when there is no definition. */
  readonly command: ShownCommand | null;
  readonly runtime: ServiceRuntime;
  readonly configAudit: ConfigAudit;
}

/** The variables of a service that say which instance it is. No other is ever shown. */
const SHOWN_VARIABLES = [
  "OPENCLAW_PROFILE",
  "OPENCLAW_STATE_DIR",
  "OPENCLAW_CONFIG_PATH",
  "OPENCLAW_GATEWAY_PORT",
  "OPENCLAW_NIX_MODE",
];

const SECRET_FLAG = /^(--?(?:token|password|secret|passphrase|api-key))(?:=.*)?$/isu;

/** What may be shown of a definition that somebody else may have written. */
export function shownCommand(service: ParsedService, sourcePath: string): ShownCommand {
  const environment = Object.fromEntries(
    SHOWN_VARIABLES.flatMap((name) => {
      const value = Object.hasOwn(service.environment, name)
        ? service.environment[name]
        : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return {
    programArguments: withoutSecrets(service.programArguments),
    ...(service.workingDirectory === undefined
      ? {}
      : { workingDirectory: service.workingDirectory }),
    environment,
    sourcePath,
  };
}

function withoutSecrets(programArguments: readonly string[]): string[] {
  return programArguments.map((word, index) => {
    const [, flag] = SECRET_FLAG.exec(word) ?? [];
    if (flag !== undefined) return word.includes("=") ? `${flag}=…` : word;
    const before = programArguments[index - 1] ?? "";
    return SECRET_FLAG.test(before) && !before.includes("=") ? "…" : word;
  });
}
