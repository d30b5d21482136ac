import { readdir, readFile, realpath, lstat } from "node:fs/promises";
import { join } from "node:path";
import { readEnv, type Env } from "../env.ts";
import { isObject, valueAt } from "../json.ts";
import { parseConfigText } from "../parse-config-text.ts";
import { CONFIG_NAMES, OLD_STATE_DIRS } from "../paths.ts";
import { isThere, type MigrationStep } from "./migration-step.ts";

/** Options of {@link planStateMigration}. */
export interface StateMigrationOptions {
  env: Env;
  /** As `resolvePaths` found it. */
  home: string;
  /** Name under which the program was started; `clawdbot` makes links for old instructions. */
  programName?: string | undefined;
}

/** What has to be done for state of earlier releases to be found, in order. */
export interface StateMigrationPlan {
  readonly steps: readonly MigrationStep[];
  /** What stays as it is although it is old, and why. */
  readonly warnings: readonly string[];
}

const [CONFIG_NAME = "", ...OLD_CONFIG_NAMES] = CONFIG_NAMES;
const WHATSAPP_FILE =
  /^(?:creds\.json(?:\.bak)?|(?:app-state-sync|session|sender-key|pre-key)-.*\.json)$/u;

/**
 * Looks for the state folder, the config file and parts of the state under the names of earlier releases.
 * Changes nothing. With a state folder from the environment or a profile, only that folder is looked at
 * for parts.
 */
export async function planStateMigration(
  options: StateMigrationOptions,
): Promise<StateMigrationPlan> {
  const { env, home } = options;
  const override = readEnv(env, "OPENCLAW_STATE_DIR")?.value;
  if (override !== undefined) return { steps: await planParts(override, override), warnings: [] };
  const stateDir = join(home, ".openclaw");
  const folder = await planFolder(stateDir, options);
  // Where things are now, while nothing has been moved yet.
  const present = folder.moved ?? stateDir;
  const steps = [
    ...folder.steps,
    ...(await planConfig({ stateDir, present, others: folder.others })),
    ...(await planParts(present, stateDir)),
  ];
  return { steps, warnings: folder.warnings };
}

interface FolderPlan extends StateMigrationPlan {
  /** The old folder that is to be moved. */
  readonly moved?: string;
  /** Old folders that stay. */
  readonly others: readonly string[];
}

async function planFolder(
  stateDir: string,
  { home, programName }: StateMigrationOptions,
): Promise<FolderPlan> {
  const isNewThere = await isThere(stateDir);
  const warnings: string[] = [];
  const others: string[] = [];
  for (const old of OLD_STATE_DIRS.map((name) => join(home, name))) {
    // In order: the first one that is there counts.
    // oxlint-disable-next-line no-await-in-loop
    const found = await lookAt(old, stateDir);
    if (found === "nothing" || found === "linked") continue;
    if (found === "linked elsewhere") {
      warnings.push(`${old} is a link to another place than ${stateDir}; nothing was moved.`);
      continue;
    }
    if (isNewThere) {
      warnings.push(`${old} is still there beside ${stateDir}; nothing was moved.`);
      others.push(old);
      continue;
    }
    const steps: MigrationStep[] = [
      { kind: "move", from: old, to: stateDir },
      { kind: "link", path: old, target: stateDir, isFolder: true },
    ];
    return { steps, warnings, others, moved: old };
  }
  const oldName = OLD_STATE_DIRS.find((name) => name === `.${programName}`);
  const isFresh = oldName !== undefined && !isNewThere && !(await isThere(join(home, oldName)));
  if (!isFresh) return { steps: [], warnings, others };
  const oldConfig = join(stateDir, `${programName}.json`);
  const steps: MigrationStep[] = [
    { kind: "folder", path: stateDir },
    { kind: "link", path: join(home, oldName), target: stateDir, isFolder: true },
    { kind: "link", path: oldConfig, target: CONFIG_NAME, isFolder: false },
  ];
  return { steps, warnings, others };
}

async function lookAt(
  old: string,
  stateDir: string,
): Promise<"nothing" | "folder" | "linked" | "linked elsewhere"> {
  try {
    const stats = await lstat(old);
    if (stats.isSymbolicLink()) {
      const target = await realpath(old).catch(() => undefined);
      const wanted = await realpath(stateDir).catch(() => stateDir);
      return target === wanted ? "linked" : "linked elsewhere";
    }
    return stats.isDirectory() ? "folder" : "nothing";
  } catch {
    return "nothing";
  }
}

interface ConfigPlace {
  readonly stateDir: string;
  readonly present: string;
  readonly others: readonly string[];
}

/**
 * The config under its present name, the former name as a link to it, so that whoever follows old
 * instructions edits the file that counts, and the original beside it.
 */
async function planConfig({ stateDir, present, others }: ConfigPlace): Promise<MigrationStep[]> {
  if (await isThere(join(present, CONFIG_NAME))) return [];
  const target = join(stateDir, CONFIG_NAME);
  for (const folder of [present, ...others]) {
    for (const name of OLD_CONFIG_NAMES) {
      // In order: the first one that is there counts.
      // oxlint-disable-next-line no-await-in-loop
      if (!(await isFile(join(folder, name)))) continue;
      const from = join(folder === present ? stateDir : folder, name);
      // oxlint-disable-next-line no-await-in-loop
      const backup = await freeName(join(folder, `${name}.bak`));
      const kept = join(folder === present ? stateDir : folder, backup);
      return [
        // First, so that there is a config at every moment, whoever ends the process.
        { kind: "copy", from, to: target },
        { kind: "move", from, to: kept },
        {
          kind: "link",
          path: from,
          target: folder === present ? CONFIG_NAME : target,
          isFolder: false,
        },
      ];
    }
  }
  return [];
}

/** Sessions, the agent's folder and WhatsApp's credentials, which were not kept by agent and account once. */
async function planParts(present: string, stateDir: string): Promise<MigrationStep[]> {
  const agent = join("agents", await defaultAgent(present));
  const parts: readonly (readonly [string, string])[] = [
    ["sessions", join(agent, "sessions")],
    ["agent", join(agent, "agent")],
    ...(await whatsappFiles(present)).map(
      (name) =>
        [join("credentials", name), join("credentials", "whatsapp", "default", name)] as const,
    ),
  ];
  const steps: MigrationStep[] = [];
  for (const [from, to] of parts) {
    // oxlint-disable-next-line no-await-in-loop
    if (!(await isThere(join(present, from))) || (await isThere(join(present, to)))) continue;
    steps.push({ kind: "move", from: join(stateDir, from), to: join(stateDir, to) });
  }
  return steps;
}

async function whatsappFiles(stateDir: string): Promise<string[]> {
  const names = await readdir(join(stateDir, "credentials")).catch((): string[] => []);
  // Without creds.json the rest belongs to nobody.
  return names.includes("creds.json")
    ? names.filter((name) => WHATSAPP_FILE.test(name)).sort()
    : [];
}

async function defaultAgent(stateDir: string): Promise<string> {
  for (const name of CONFIG_NAMES) {
    // oxlint-disable-next-line no-await-in-loop
    const text = await readFile(join(stateDir, name), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop
    const parsed = await parseConfigText(text);
    const list = parsed.ok ? valueAt(parsed.value, "agents.list") : undefined;
    const agents = (Array.isArray(list) ? list : []).filter(isObject);
    const id = (agents.find((agent) => agent["default"] === true) ?? agents[0])?.["id"];
    return typeof id === "string" && /^[\w-]{1,64}$/u.test(id) ? id : "main";
  }
  return "main";
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch {
    return false;
  }
}

/** The last word of a path where nothing is yet, with a number behind it if need be. */
async function freeName(path: string): Promise<string> {
  for (let number = 0; ; number += 1) {
    const candidate = number === 0 ? path : `${path}.${number}`;
    // oxlint-disable-next-line no-await-in-loop
    if (!(await isThere(candidate))) return candidate.slice(candidate.search(/[^\\/]+$/u));
  }
}
