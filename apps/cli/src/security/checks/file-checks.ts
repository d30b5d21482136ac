import type { AuditFacts, Check, FileFacts } from "../audit-facts.ts";
import { finding, type Finding, type Severity } from "../finding.ts";

const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;
const OTHERS_READ = 0o004;
const GROUP_READ = 0o040;

const SYNCED =
  /(?:^|[/\\])(?:Library[/\\]Mobile Documents|iCloud ?Drive|Dropbox|Google ?Drive|GoogleDrive-[^/\\]+|OneDrive[^/\\]*|CloudStorage)(?:[/\\]|$)/iu;

/** Who else may read or change what the Gateway keeps. */
export const fileChecks: readonly Check[] = [syncedFolder, stateDir, config, includes, secrets];

function syncedFolder({ paths }: AuditFacts): Finding[] {
  const synced = [paths.stateDir, paths.configPath].filter((path) => SYNCED.test(path));
  if (synced.length === 0) return [];
  return [
    finding(
      "fs.synced_dir",
      "warn",
      "State is copied to a cloud",
      `${[...new Set(synced)].join(", ")} is in a folder that is synchronised.`,
      "Move it: set OPENCLAW_STATE_DIR to a folder of this machine alone.",
    ),
  ];
}

function stateDir({ files: { stateDir: file } }: AuditFacts): Finding[] {
  if (file === undefined) return [];
  return [
    ...linked("fs.state_dir.symlink", "The state directory", file),
    ...firstOf(file, "700", [
      ["fs.state_dir.perms_world_writable", "critical", OTHERS_WRITE, "Everybody may change"],
      ["fs.state_dir.perms_group_writable", "warn", GROUP_WRITE, "The group may change"],
      ["fs.state_dir.perms_readable", "warn", OTHERS_READ | GROUP_READ, "Others may read"],
    ]),
  ];
}

function config({ files: { config: file } }: AuditFacts): Finding[] {
  if (file === undefined) return [];
  return [
    ...linked("fs.config.symlink", "The config file", file),
    ...configFile("fs.config", file),
  ];
}

function includes({ files }: AuditFacts): Finding[] {
  return files.includes.flatMap((file) => configFile("fs.config_include", file));
}

function configFile(id: string, file: FileFacts): Finding[] {
  return firstOf(file, "600", [
    [`${id}.perms_writable`, "critical", OTHERS_WRITE | GROUP_WRITE, "Others may change"],
    [`${id}.perms_world_readable`, "critical", OTHERS_READ, "Everybody may read"],
    [`${id}.perms_group_readable`, "warn", GROUP_READ, "The group may read"],
  ]);
}

function secrets({ files }: AuditFacts): Finding[] {
  const readable = OTHERS_READ | GROUP_READ;
  const writable = OTHERS_WRITE | GROUP_WRITE;
  return [
    ...(files.credentialsDir === undefined
      ? []
      : firstOf(files.credentialsDir, "700", [
          ["fs.credentials_dir.perms_writable", "critical", writable, "Others may change"],
          ["fs.credentials_dir.perms_readable", "warn", readable, "Others may read"],
        ])),
    ...files.authProfiles.flatMap((file) =>
      firstOf(file, "600", [
        ["fs.auth_profiles.perms_writable", "critical", writable, "Others may change"],
        ["fs.auth_profiles.perms_readable", "warn", readable, "Others may read"],
      ]),
    ),
    ...files.sessionStores.flatMap((file) =>
      firstOf(file, "600", [
        ["fs.sessions_store.perms_readable", "warn", readable, "Others may read"],
      ]),
    ),
    ...(files.log === undefined
      ? []
      : firstOf(files.log, "600", [
          ["fs.log_file.perms_readable", "warn", readable, "Others may read"],
        ])),
  ];
}

type Rule = readonly [checkId: string, severity: Severity, bits: number, who: string];

/** The worst that is true of a file; what is weaker goes without saying. */
function firstOf(file: FileFacts, wanted: string, rules: readonly Rule[]): Finding[] {
  const { path, mode } = file;
  if (mode === undefined) return [];
  for (const [checkId, severity, bits, who] of rules) {
    if ((mode & bits) === 0) continue;
    return [
      finding(
        checkId,
        severity,
        `${who} ${path}`,
        `Its mode is ${mode.toString(8).padStart(3, "0")}.`,
        `chmod ${wanted} ${path}`,
      ),
    ];
  }
  return [];
}

function linked(checkId: string, what: string, file: FileFacts): Finding[] {
  if (!file.isLink) return [];
  return [
    finding(
      checkId,
      "warn",
      `${what} is a link`,
      `${file.path} leads elsewhere; whoever controls that place controls it.`,
      "Make sure that the target is yours alone.",
    ),
  ];
}
