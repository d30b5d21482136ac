import { posix, win32 } from "node:path";
import { findSecrets } from "../definition/find-secrets.ts";
import type { ParsedService } from "../definition/parsed-service.ts";
import { MINIMAL_PATH } from "../definition/service-environment.ts";
import type { ServiceKind } from "../definition/service-names.ts";
import type { AuditIssue } from "../manager/service-status.ts";

export interface AuditOptions {
  /** The entry point of the program that asks; a service should run the same. */
  readonly entrypoint?: string | undefined;
  /** Whether a Node of the system itself is there, outside of version managers. */
  readonly hasSystemNode?: boolean | undefined;
}

const VERSION_MANAGERS =
  /[\\/](?:\.nvm|\.fnm|fnm_multishells|\.volta|\.asdf|\.nodenv|\.nodebrew|\.n|nvs|mise)[\\/]/u;
const NETWORK = "network-online.target";

/**
 * What should be otherwise in the definition of a service. Tunnels have an audit of their own:
 * `auditTunnelService`.
 */
export function auditService(
  kind: ServiceKind,
  service: ParsedService,
  options: AuditOptions = {},
): AuditIssue[] {
  return [
    ...(kind === "gateway" ? gatewayIssues(service, options) : []),
    ...secretIssues(service),
    ...supervisorIssues(service),
  ];
}

function gatewayIssues(service: ParsedService, options: AuditOptions): AuditIssue[] {
  const [program = ""] = service.programArguments;
  return [
    ...commandIssues(service, options),
    ...pathIssues(service),
    ...runtimeIssues(program, options),
  ];
}

function commandIssues(
  { programArguments }: ParsedService,
  { entrypoint }: AuditOptions,
): AuditIssue[] {
  if (!programArguments.slice(1).includes("gateway")) {
    return [
      {
        code: "gateway-command-missing",
        message: "The service does not run a Gateway.",
        detail: programArguments.length === 0 ? "no command" : (programArguments[0] ?? ""),
        level: "aggressive",
      },
    ];
  }
  const entry = programArguments.find((word, index) => index > 0 && !word.startsWith("-"));
  if (entrypoint === undefined || entry === undefined || entry === entrypoint) return [];
  return [
    recommended(
      "gateway-entrypoint-mismatch",
      "The service runs another installation of the program.",
      `${entry} instead of ${entrypoint}`,
    ),
  ];
}

function pathIssues({ environment, supervisor }: ParsedService): AuditIssue[] {
  if (supervisor === "schtasks") return [];
  const path = environment["PATH"];
  if (path === undefined || path === "") {
    return [recommended("gateway-path-missing", "The service sets no PATH.")];
  }
  const folders = path.split(":");
  const minimal = MINIMAL_PATH[supervisor === "launchd" ? "darwin" : "linux"] ?? [];
  const missing = minimal.filter((folder) => !folders.includes(folder));
  const odd = folders.filter((folder) => VERSION_MANAGERS.test(`${folder}/`));
  return [
    ...(missing.length === 0
      ? []
      : [
          recommended(
            "gateway-path-missing-dirs",
            "The PATH of the service lacks folders of the system.",
            missing.join(", "),
          ),
        ]),
    ...(odd.length === 0
      ? []
      : [
          recommended(
            "gateway-path-nonminimal",
            "The PATH of the service goes through a version manager, and breaks with its next change.",
            odd.join(", "),
          ),
        ]),
  ];
}

function runtimeIssues(program: string, { hasSystemNode }: AuditOptions): AuditIssue[] {
  // A path of either kind: definitions are audited wherever they come from.
  const name = posix.basename(win32.basename(program)).replace(/\.exe$/iu, "");
  if (name === "bun") {
    return [
      recommended(
        "gateway-runtime-bun",
        "The service runs on Bun, with which the WhatsApp and Telegram channels have trouble.",
        program,
      ),
    ];
  }
  if (!VERSION_MANAGERS.test(program)) return [];
  return [
    recommended(
      "gateway-runtime-node-version-manager",
      "The service runs a Node of a version manager, which disappears with an upgrade.",
      program,
    ),
    ...(hasSystemNode === false
      ? [
          recommended(
            "gateway-runtime-node-system-missing",
            "There is no Node of the system that the service could run on instead.",
          ),
        ]
      : []),
  ];
}

/** What earlier releases have written: it outranks the config for ever. */
function secretIssues({ programArguments, environment }: ParsedService): AuditIssue[] {
  const secrets = findSecrets(programArguments, environment);
  if (secrets.length === 0) return [];
  return [
    recommended(
      "service-secret-embedded",
      "The definition holds a secret, which every program of this user can read and which outlives a change of it.",
      secrets.join(", "),
    ),
  ];
}

function supervisorIssues(service: ParsedService): AuditIssue[] {
  if (service.supervisor === "launchd") {
    return [
      ...(service.restart === "always"
        ? []
        : [recommended("launchd-keep-alive", "KeepAlive is not true.")]),
      ...(service.runsAtLogin
        ? []
        : [recommended("launchd-run-at-load", "RunAtLoad is not true.")]),
    ];
  }
  if (service.supervisor === "schtasks") return [];
  const { after = [], wants = [], restart, restartSeconds } = service;
  // systemd's own pause is a tenth of a second: a crash loop within moments.
  const pause = restartSeconds ?? 0.1;
  return [
    ...(after.includes(NETWORK)
      ? []
      : [recommended("systemd-after-network-online", `After=${NETWORK} is missing.`)]),
    ...(wants.includes(NETWORK)
      ? []
      : [recommended("systemd-wants-network-online", `Wants=${NETWORK} is missing.`)]),
    ...(restart === "never" || pause < 1
      ? [recommended("systemd-restart-sec", "The service does not come back five seconds later.")]
      : []),
  ];
}

function recommended(code: string, message: string, detail?: string): AuditIssue {
  return { code, message, ...(detail === undefined ? {} : { detail }), level: "recommended" };
}
