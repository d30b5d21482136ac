import { chmod } from "node:fs/promises";
import { asObject, messageOf } from "@openclaw/app-kit";
import { type ConfigEdit, editConfigFile, type JsonObject } from "@openclaw/config";
import { at, type AuditFacts, type FileFacts, textAt } from "./audit-facts.ts";
import { readPairedSenders } from "./gather-facts.ts";

/** A change of a file's mode. */
export interface FixAction {
  readonly kind: "chmod";
  readonly path: string;
  readonly mode: string;
  readonly ok: boolean;
  readonly skipped?: string;
  readonly error?: string;
}

/** What was mended. */
export interface FixReport {
  readonly ok: boolean;
  readonly stateDir: string;
  readonly configPath: string;
  readonly configWritten: boolean;
  /** Where the former text of the config is. */
  readonly backupPath?: string;
  readonly changes: readonly string[];
  readonly actions: readonly FixAction[];
  readonly errors: readonly string[];
}

const CHANNELS = ["telegram", "whatsapp", "discord", "signal", "imessage", "slack", "msteams"];

/**
 * Mends what can be undone without harm: modes of files, a log that shows secrets, groups that are
 * open to everybody. Bind, authentication and Tailscale are never touched: whoever loses their way
 * in by a fix has been hurt by it.
 */
export async function fixFindings(facts: AuditFacts): Promise<FixReport> {
  const { stateDir, configPath } = facts.paths;
  const edits = await planEdits(facts);
  const errors: string[] = [];
  let backupPath: string | undefined;
  let configWritten = false;
  if (edits.length > 0) {
    try {
      const edited = await editConfigFile(
        configPath,
        edits.map(({ edit }) => edit),
        { env: facts.env },
      );
      configWritten = edited.changed;
      backupPath = edited.backupPath;
    } catch (error) {
      errors.push(messageOf(error));
    }
  }
  const actions = await Promise.all(planModes(facts).map(applyMode));
  errors.push(...actions.flatMap(({ error }) => (error === undefined ? [] : [error])));
  return {
    ok: errors.length === 0,
    stateDir,
    configPath,
    configWritten,
    ...(backupPath === undefined ? {} : { backupPath }),
    changes: configWritten ? edits.map(({ says }) => says) : [],
    actions,
    errors,
  };
}

interface PlannedEdit {
  readonly edit: ConfigEdit;
  readonly says: string;
}

async function planEdits({ config, paths }: AuditFacts): Promise<PlannedEdit[]> {
  const edits: PlannedEdit[] = [];
  if (textAt(config, "logging.redactSensitive") === "off") {
    edits.push({
      edit: { path: ["logging", "redactSensitive"], value: "tools" },
      says: "logging.redactSensitive: off → tools",
    });
  }
  for (const channel of CHANNELS) {
    for (const path of policyPaths(config, channel)) {
      edits.push({
        edit: { path: [...path, "groupPolicy"], value: "allowlist" },
        says: `${path.join(".")}.groupPolicy: open → allowlist`,
      });
      // An account that has no list of its own goes by that of the channel.
      const lists = [path, ["channels", channel]].map((one) =>
        pathValue(config, [...one, "groupAllowFrom"]),
      );
      if (channel !== "whatsapp" || lists.some((list) => list !== undefined)) continue;
      // Those who may write to the agent directly go on being heard in groups.
      // oxlint-disable-next-line no-await-in-loop
      const senders = await readPairedSenders(paths.stateDir, channel);
      if (senders.length === 0) continue;
      edits.push({
        edit: { path: [...path, "groupAllowFrom"], value: senders },
        says: `${path.join(".")}.groupAllowFrom: ${senders.length} paired senders`,
      });
    }
  }
  return edits;
}

/** Sections of a channel, its accounts included, whose groups are open. */
function policyPaths(config: JsonObject, channel: string): string[][] {
  const own = asObject(at(config, `channels.${channel}`));
  const accounts = Object.keys(asObject(own["accounts"]));
  return [
    ["channels", channel],
    ...accounts.map((id) => ["channels", channel, "accounts", id]),
  ].filter((path) => pathValue(config, [...path, "groupPolicy"]) === "open");
}

function pathValue(config: JsonObject, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => asObject(value)[key], config);
}

interface PlannedMode {
  readonly path: string;
  readonly mode: number;
  readonly isLink: boolean;
}

function planModes({ files }: AuditFacts): PlannedMode[] {
  const { stateDir, config, includes, credentialsDir, log } = files;
  const want = (file: FileFacts | undefined, mode: number): PlannedMode[] =>
    file?.mode === undefined || (file.mode & ~mode) === 0
      ? []
      : [{ path: file.path, mode, isLink: file.isLink }];
  return [
    ...want(stateDir, 0o700),
    ...want(credentialsDir, 0o700),
    ...want(config, 0o600),
    ...files.agentDirs.flatMap((file) => want(file, 0o700)),
    ...[...includes, ...files.authProfiles, ...files.sessionStores, log].flatMap((file) =>
      want(file, 0o600),
    ),
  ];
}

async function applyMode({ path, mode, isLink }: PlannedMode): Promise<FixAction> {
  const action = { kind: "chmod", path, mode: mode.toString(8) } as const;
  // What a link leads to may be shared on purpose.
  if (isLink) return { ...action, ok: true, skipped: "a link" };
  try {
    await chmod(path, mode);
    return { ...action, ok: true };
  } catch (error) {
    return { ...action, ok: false, error: `chmod ${path}: ${messageOf(error)}` };
  }
}
