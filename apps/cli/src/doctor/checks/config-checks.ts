import { readFile, realpath, rename, rm, symlink } from "node:fs/promises";
import { basename } from "node:path";
import process from "node:process";
import { writePrivateFile } from "@openclaw/app-kit";
import {
  type ConfigIssue,
  editConfigFile,
  findFormerConfig,
  findRivalConfigs,
  type LegacyKey,
  loadConfig,
  migrateConfigKeys,
} from "@openclaw/config";
import { changeRecordPath, readChangeRecord } from "@openclaw/gateway/inspect";
import { shellWord } from "../../config/shell-word.ts";
import { at, textAt } from "../../security/audit-facts.ts";
import type { Check, DoctorFacts } from "../facts.ts";
import type { DoctorFinding, Repair } from "../finding.ts";
import { copyBack, keepCopy, moveBack } from "../keep-file.ts";

/** The config file: whether it can be read, says what is meant, and is the one that people edit. */
export const configChecks: readonly Check[] = [
  {
    group: "Config",
    codes: ["config.unreadable", "config.invalid", "config.legacy_keys", "config.last_good"],
    isFoundation: true,
    run: brokenConfig,
  },
  { group: "Config", codes: ["config.missing"], run: missingConfig },
  { group: "Config", codes: ["config.rival"], run: rivalConfigs },
  { group: "Config", codes: ["config.warning"], run: configWarnings },
  { group: "Config", codes: ["config.mode_unset"], run: unsetMode },
  { group: "Config", codes: ["config.unconfirmed_change"], run: unconfirmedChange },
];

async function brokenConfig(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const { loaded } = facts;
  if (loaded.ok) return [];
  const { issues, legacy } = loaded;
  const isLegacy = ({ path }: ConfigIssue): boolean =>
    legacy.some(
      (key) => path === key.path || path.startsWith(`${key.path}.`) || isWithin(key, path),
    );
  const others = issues.filter((issue) => !isLegacy(issue));
  const findings = legacy.length === 0 ? [] : [legacyKeys(facts, legacy)];
  if (others.length === 0 && findings.length > 0) return findings;
  return [...findings, invalidConfig(facts, others), ...(await lastGood(facts))];
}

/** An unknown section is told as a whole, while its keys move one by one. */
function isWithin({ path }: LegacyKey, issuePath: string): boolean {
  return path.startsWith(`${issuePath}.`);
}

function invalidConfig({ context }: DoctorFacts, issues: readonly ConfigIssue[]): DoctorFinding {
  const { configPath } = context.paths;
  const isUnread = issues.some(({ kind }) => kind !== "unknown-key" && kind !== "invalid-value");
  const [first] = issues;
  const place = [shellWord(first?.file ?? configPath), first?.line].filter(Boolean).join(":");
  return {
    code: isUnread ? "config.unreadable" : "config.invalid",
    severity: "error",
    title: isUnread ? "The config file cannot be read" : "The config file is invalid",
    evidence: [configPath, ...issues.map(lineOf)],
    fix: `Mend ${place}, then: ${context.commandLine("config validate")}`,
  };
}

function lineOf({ path, message, kind, file, line }: ConfigIssue): string {
  // The message of a syntax error says the line itself.
  const hasPlace = file !== undefined && line !== undefined && kind !== "syntax";
  return `${hasPlace ? `${basename(file)}:${line}: ` : ""}${path}: ${message}`;
}

function legacyKeys({ context, env }: DoctorFacts, legacy: readonly LegacyKey[]): DoctorFinding {
  const { configPath } = context.paths;
  const repair: Repair = {
    question: `Rewrite ${legacy.length} keys of an earlier release in ${configPath}?`,
    async apply() {
      const { keys, backupPath } = await migrateConfigKeys(configPath, env);
      if (backupPath === undefined) {
        throw new Error(`no key was found in ${configPath} itself; look at what it includes`);
      }
      const file = await realpath(configPath);
      return { did: `Rewrote ${keys.length} keys in ${file}.`, undo: copyBack(backupPath, file) };
    },
  };
  return {
    code: "config.legacy_keys",
    severity: "error",
    title: "The config has keys of an earlier release",
    evidence: [
      configPath,
      ...legacy.flatMap(({ path, to, message }) =>
        to === undefined ? [`- ${path}  (${message})`] : [`- ${path}`, `+ ${to}`],
      ),
    ],
    fix: context.commandLine("doctor --fix --only config"),
    repair,
  };
}

/** A text to go back to, if it would be accepted now. */
async function lastGood({ context, env }: DoctorFacts): Promise<DoctorFinding[]> {
  const { configPath } = context.paths;
  const file = await realpath(configPath).catch(() => configPath);
  const former = await findFormerConfig(file);
  if (former === undefined || !(await loadConfig({ path: former.path, env })).ok) return [];
  return [
    {
      code: "config.last_good",
      severity: "info",
      title: "There is a former config that is right",
      evidence: [`${former.path}, of ${new Date(former.keptAtMs).toISOString()}`],
      fix: `${copyBack(former.path, file)}  (keep a copy of the present one first)`,
      repair: {
        question: `Go back to ${former.path}? The broken file is kept beside it.`,
        async apply() {
          const text = await readFile(former.path, "utf8");
          const kept = await keepCopy(file, ".broken");
          writePrivateFile(file, text);
          return {
            did: `Put ${former.path} in place of ${file}; what was there is ${kept}.`,
            undo: copyBack(kept, file),
          };
        },
      },
    },
  ];
}

function missingConfig({ loose, context }: DoctorFacts): DoctorFinding[] {
  if (loose.exists) return [];
  return [
    {
      code: "config.missing",
      severity: "info",
      title: "There is no config file yet",
      evidence: [`looked for ${context.paths.configPath}`],
      fix: context.commandLine("onboard"),
    },
  ];
}

async function rivalConfigs({ context: { paths } }: DoctorFacts): Promise<DoctorFinding[]> {
  const rivals = await findRivalConfigs(paths.configPath, paths.configCandidates);
  return rivals.map((rival) => ({
    code: "config.rival",
    severity: "warn",
    title: "Two config files say different things, and only one is read",
    evidence: [`read: ${paths.configPath}`, `not read: ${rival}`],
    fix: `diff ${shellWord(rival)} ${shellWord(paths.configPath)}`,
    repair: {
      question: `Make ${rival} a link to ${paths.configPath}? What it says now is kept beside it.`,
      async apply() {
        const kept = await keepCopy(rival);
        const link = `${rival}.${process.pid}.tmp`;
        await symlink(paths.configPath, link);
        try {
          await rename(link, rival);
        } catch (error) {
          await rm(link, { force: true });
          throw error;
        }
        return {
          did: `Made ${rival} a link to ${paths.configPath}; what it said is in ${kept}.`,
          undo: moveBack(kept, rival),
        };
      },
    },
  }));
}

function configWarnings({ loaded, context }: DoctorFacts): DoctorFinding[] {
  if (!loaded.ok) return [];
  return loaded.warnings.map((warning) => ({
    code: "config.warning",
    severity: "warn",
    title: "Something in the config does not do what it looks like",
    evidence: [warning],
    fix: `Change that key: ${context.commandLine("config set <key> <value>")}`,
  }));
}

/** A Gateway refuses to start without it. A machine that only uses one needs it just as little. */
async function unsetMode(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const { loaded, loose, config, mode, context } = facts;
  if (!loose.exists || loose.problem !== undefined || mode !== undefined) return [];
  const { configPath } = context.paths;
  const signs = ["gateway.bind", "gateway.port", "gateway.auth"].filter(
    (key) => at(config, key) !== undefined,
  );
  const services = await facts.services();
  if (services?.status.command != null) signs.push("an installed service");
  const isGateway = signs.length > 0 && textAt(config, "gateway.remote.url") === undefined;
  if (!isGateway) return [];
  return [
    {
      code: "config.mode_unset",
      severity: "warn",
      title: "gateway.mode is not set, so a Gateway does not start here",
      evidence: [configPath, `this machine is set up for one: ${signs.join(", ")}`],
      fix: context.commandLine("config set gateway.mode local"),
      ...(loaded.ok ? { repair: settingMode(facts) } : {}),
    },
  ];
}

function settingMode({ context, env }: DoctorFacts): Repair {
  const { configPath } = context.paths;
  return {
    question: `Set gateway.mode to local in ${configPath}?`,
    async apply() {
      const edits = [{ path: "gateway.mode", value: "local" }];
      const { path: file, backupPath } = await editConfigFile(configPath, edits, { env });
      if (backupPath === undefined) throw new Error(`${file} was changed meanwhile`);
      return { did: `Set gateway.mode to local in ${file}.`, undo: copyBack(backupPath, file) };
    },
  };
}

function unconfirmedChange({ context }: DoctorFacts): DoctorFinding[] {
  const path = changeRecordPath(context.paths.stateDir);
  let problem: unknown;
  const record = readChangeRecord(path, (error) => (problem = error));
  if (record === undefined && problem === undefined) return [];
  if (record === undefined) {
    return [
      {
        code: "config.unconfirmed_change",
        severity: "warn",
        title: "The record of a config change cannot be read",
        evidence: [path],
        fix: `mv ${shellWord(path)} ${shellWord(`${path}.bak`)}`,
      },
    ];
  }
  const isOver = record.expiresAtMs < Date.now();
  return [
    {
      code: "config.unconfirmed_change",
      severity: "warn",
      title: "A config change waits for somebody to confirm it",
      evidence: [
        `${record.configPath}, ${isOver ? "was to be confirmed" : "to be confirmed"} until ${new Date(record.expiresAtMs).toISOString()}`,
        isOver
          ? "the Gateway takes it back at its next start"
          : "the running Gateway takes it back then",
      ],
      fix: isOver
        ? context.commandLine("gateway restart")
        : `Connect from where you want to get in, for example: ${context.commandLine("health")}`,
    },
  ];
}
