import { mkdir, readFile, readlink, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ConfigError, type ConfigErrorCode } from "../config-error.ts";
import { type Env, isEnvSwitchOn } from "../env.ts";
import { isObject, type JsonObject } from "../json.ts";
import { parseConfigText } from "../parse-config-text.ts";
import { findFormerConfig, keepBackup, lastGoodPathOf } from "./backups.ts";
import { diffConfigs, isOverlapping } from "./config-diff.ts";
import { hashConfigText } from "./config-hash.ts";
import { type ConfigPath, formatConfigPath, valueAtPath } from "./config-path.ts";
import { type Draft, removeOrphans, replaceFile, syncFolder, writeDraft } from "./durable-file.ts";
import type { ParseJson5 } from "./edit-text.ts";
import { assertWritten } from "./included-path.ts";

/** Options of `editConfigFile` and `replaceConfigText`. */
export interface ChangeOptions {
  /**
   * For `${VAR}` while the result is checked, where a variable that is missing counts as unset; and
   * for `OPENCLAW_CONFIG_READONLY` and `OPENCLAW_NIX_MODE`, which refuse every change. @default {}
   */
  env?: Env;
  /** How long another process may work on the file before this gives up. @default 5_000 */
  lockTimeoutMs?: number;
  /** What `hashConfigText` said of the text that the change was made for; another one is refused. */
  baseHash?: string;
  /** The key with which `baseHash` was made. @default none */
  hashKey?: Uint8Array;
  /**
   * The text that the change was made for. Where the file has another one by now, the change is made
   * there too, unless it concerns a key that was changed meanwhile. Takes the place of `baseHash`.
   */
  baseText?: string;
  /** Version of this program, for `meta.lastTouchedVersion` where the file has a `meta`. @default no stamp */
  version?: string;
  /**
   * A file that is no JSON5 object is replaced, too, and kept as the newest backup; it counts as empty.
   * For a new text only. @default false
   */
  replacesUnreadable?: boolean;
  /** Checks and reports, and writes nothing. @default false */
  dryRun?: boolean;
  /** @default Date.now */
  now?: () => number;
}

/** As many as the system follows. */
const MAX_LINKS = 40;

/** What was done to a config file. */
export interface ChangedConfig {
  /** The file itself, where `path` was a link to it. */
  readonly path: string;
  /** False when everything was so already; then nothing was written. */
  readonly changed: boolean;
  /** The former text is here; absent when there was none, or nothing was written. */
  readonly backupPath?: string;
  /** The config before and after, as it is written: `${VAR}` stands as it is. */
  readonly before: JsonObject;
  readonly after: JsonObject;
  /** The text that the file has now, and its hash by `hashKey`. */
  readonly text: string;
  readonly hash: string;
}

/** A config file while nobody else works on it. */
export interface OpenConfig {
  /** The file itself, links followed. */
  readonly file: string;
  /** Never blank: a file that is missing or blank counts as an empty object. */
  readonly text: string;
  /** Whether the file is missing or blank. */
  readonly isFirst: boolean;
  readonly config: JsonObject;
  readonly parse: ParseJson5;
}

/** What is to become of it. */
export interface WantedChange {
  readonly text: string;
  /** The keys that were asked for. */
  readonly paths: readonly ConfigPath[];
  /** Objects to a result that is not what was asked for. */
  assertResult?(after: JsonObject): void;
}

/** Reads, changes, checks and replaces a config file under its lock. See `editConfigFile`. */
export async function changeConfigFile(
  path: string,
  options: ChangeOptions,
  change: (open: OpenConfig) => WantedChange,
): Promise<ChangedConfig> {
  const { env = {}, lockTimeoutMs = 5_000 } = options;
  assertWritable(env);
  const file = await realFile(path);
  const [{ withFileLock }, { default: json5 }] = await Promise.all([
    import("./file-lock.ts"),
    import("json5"),
    guarded("CONFIG_NOT_WRITTEN", file, () =>
      mkdir(dirname(file), { recursive: true, mode: 0o700 }),
    ),
  ]);
  const parse: ParseJson5 = (text) => json5.parse<unknown>(text);
  return withFileLock(`${file}.lock`, lockTimeoutMs, {
    tidy: (isAlive) => removeOrphans(file, isAlive),
    work: () => changeLocked(file, options, change, parse),
  });
}

async function changeLocked(
  file: string,
  options: ChangeOptions,
  change: (open: OpenConfig) => WantedChange,
  parse: ParseJson5,
): Promise<ChangedConfig> {
  const { env = {}, hashKey, dryRun = false } = options;
  const found = await readConfigText(file);
  const before = await configBefore(file, found ?? "", options);
  const isFirst = found === undefined || found.trim() === "";
  const base = isFirst ? "{}\n" : found;
  if (options.baseText === undefined) assertBase(file, found, options);
  const wanted = change({ file, text: base, isFirst, config: before, parse });
  await assertMergeable(file, before, wanted, options);
  await assertWritten(file, { before, paths: wanted.paths, env });
  const hash = (text: string | undefined): string => hashConfigText(text, hashKey);
  if (wanted.text === base) {
    return { path: file, changed: false, before, after: before, text: base, hash: hash(found) };
  }
  const asked = await parseConfigObject(file, wanted.text);
  wanted.assertResult?.(asked);
  await assertValid(file, asked, env);
  const text = await stamped(wanted.text, asked, options, parse);
  const after = text === wanted.text ? asked : await parseConfigObject(file, text);
  const result = { path: file, changed: true, before, after, text, hash: hash(text) };
  if (dryRun) return result;
  const backupPath = await writeOver(file, found, text);
  return backupPath === undefined ? result : { ...result, backupPath };
}

async function configBefore(
  file: string,
  text: string,
  { replacesUnreadable = false }: ChangeOptions,
): Promise<JsonObject> {
  try {
    return await parseConfigObject(file, text);
  } catch (error) {
    if (replacesUnreadable && error instanceof ConfigError) return {};
    throw error;
  }
}

/** Replaces the text on the disk; the former one becomes the newest backup. */
async function writeOver(
  file: string,
  found: string | undefined,
  text: string,
): Promise<string | undefined> {
  return guarded("CONFIG_NOT_WRITTEN", file, async () => {
    const drafts: Draft[] = [];
    const write = async (target: string): Promise<string> => {
      const draft = await writeDraft(target, text);
      drafts.push(draft);
      return draft.path;
    };
    try {
      // Together, since a disk that is asked to sync once does both.
      const [draft, good] = await Promise.all([write(file), write(lastGoodPathOf(file))]);
      // Asked as late as can be: who writes without the lock must not lose anything.
      if ((await readConfigText(file)) !== found) throw changedMeanwhile(file);
      const backupPath = found === undefined ? undefined : await keepBackup(file, found);
      await replaceFile(draft, file);
      await replaceFile(good, lastGoodPathOf(file));
      await syncFolder(dirname(file));
      return backupPath;
    } finally {
      await Promise.all(drafts.map((draft) => draft.discard()));
    }
  });
}

/**
 * Keeps the text that a config file has now as the one to go back to. For a Gateway that has started
 * with it.
 *
 * @throws {@link ConfigError} `CONFIG_UNREADABLE`, `CONFIG_NOT_WRITTEN`
 */
export async function markConfigGood(path: string): Promise<void> {
  const file = await realFile(path);
  const text = await readConfigText(file);
  if (text === undefined) return;
  const good = lastGoodPathOf(file);
  await guarded("CONFIG_NOT_WRITTEN", good, async () => {
    if ((await readConfigText(good)) === text) return;
    const draft = await writeDraft(good, text);
    await replaceFile(draft.path, good);
    await syncFolder(dirname(good));
  });
}

/** The file behind links, so that a rename replaces the file and not the link. */
async function realFile(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isCode(error, "ENOENT")) return targetOf(path);
    throw failure("CONFIG_UNREADABLE", path, error);
  }
}

/** Where a file is to be made: a link to one that is not there yet stays a link. */
async function targetOf(path: string, depth = 0): Promise<string> {
  let target: string;
  try {
    target = await readlink(path);
  } catch {
    return path;
  }
  if (depth >= MAX_LINKS) {
    throw new ConfigError("CONFIG_UNREADABLE", `${path} is a link that leads nowhere.`, {
      hint: "Remove the link.",
    });
  }
  return targetOf(resolve(dirname(path), target), depth + 1);
}

/**
 * The text of a config file; `undefined` when there is none.
 *
 * @throws {@link ConfigError} `CONFIG_UNREADABLE`
 */
export async function readConfigText(file: string): Promise<string | undefined> {
  try {
    // Bytes that are no text must not be written back as something else.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch (error) {
    // No file is an empty config; one that cannot be read is not.
    if (isCode(error, "ENOENT")) return undefined;
    throw failure("CONFIG_UNREADABLE", file, error);
  }
}

/**
 * The object that a text is.
 *
 * @throws {@link ConfigError} `CONFIG_UNREADABLE`, which names the text to go back to
 */
export async function parseConfigObject(file: string, text: string): Promise<JsonObject> {
  const parsed = await parseConfigText(text);
  const problem = parsed.ok ? "is not an object" : parsed.issue.message;
  if (parsed.ok && isObject(parsed.value)) return parsed.value;
  const former = await findFormerConfig(file);
  const wayBack =
    former === undefined
      ? "Mend the file by hand, or move it away to start with an empty one."
      : `Mend the file by hand, or go back to the last good one, of ${new Date(former.keptAtMs).toISOString()}: ${former.path}`;
  throw new ConfigError("CONFIG_UNREADABLE", `${file} ${problem}; it stays as it is.`, {
    hint: wayBack,
    issues: parsed.ok ? [] : [parsed.issue],
  });
}

function assertWritable(env: Env): void {
  for (const name of ["OPENCLAW_CONFIG_READONLY", "OPENCLAW_NIX_MODE"] as const) {
    if (!isEnvSwitchOn(env, name)) continue;
    throw new ConfigError("CONFIG_READONLY", `${name} is on, so the config is not changed here.`, {
      hint: "Change it where it is made, for example in the Nix module.",
    });
  }
}

function assertBase(file: string, found: string | undefined, options: ChangeOptions): void {
  const { baseHash, hashKey } = options;
  if (baseHash === undefined || baseHash === hashConfigText(found, hashKey)) return;
  throw changedMeanwhile(file);
}

/** Whether what was changed since the base leaves alone what is to be changed now. */
async function assertMergeable(
  file: string,
  present: JsonObject,
  wanted: WantedChange,
  { baseText }: ChangeOptions,
): Promise<void> {
  if (baseText === undefined) return;
  const base = await parseConfigObject("the base", baseText);
  const theirs = diffConfigs(base, present);
  if (theirs.length === 0) return;
  const after = await parseConfigObject(file, wanted.text);
  const conflicts = theirs.filter(
    ({ path, after: value }) =>
      wanted.paths.some((own) => isOverlapping(own, path)) &&
      // Both sides may have had the same idea.
      !isDeepStrictEqual(value, valueAtPath(after, path)),
  );
  if (conflicts.length === 0) return;
  const names = conflicts.map(({ path }) => formatConfigPath(path)).join(", ");
  throw new ConfigError("CONFIG_CHANGED", `${file} was changed meanwhile at ${names}.`, {
    hint: "Nothing was written. Look at the file, and try again.",
  });
}

async function assertValid(file: string, config: JsonObject, env: Env): Promise<void> {
  const { checkWrittenConfig } = await import("./check-written-config.ts");
  const issues = await checkWrittenConfig(file, config, env);
  const [first] = issues;
  if (first === undefined) return;
  throw new ConfigError(
    "CONFIG_INVALID",
    `${file} would not be valid: ${first.path}: ${first.message}${first.message.endsWith("?") ? "" : "."}`,
    { hint: "Nothing was written. Mend that key first.", issues },
  );
}

/**
 * Says in `meta` who wrote last, where a program keeps one there; a file that somebody wrote by hand
 * gets no section that nobody asked for. Newer releases know no `lastTouchedAt` and would refuse the
 * file, so that is only renewed.
 */
async function stamped(
  text: string,
  config: JsonObject,
  { version, now = Date.now }: ChangeOptions,
  parse: ParseJson5,
): Promise<string> {
  const { meta } = config;
  if (version === undefined || !isObject(meta)) return text;
  const { editText } = await import("./edit-text.ts");
  const edits = [{ path: ["meta", "lastTouchedVersion"], value: version }];
  if (Object.hasOwn(meta, "lastTouchedAt")) {
    edits.push({ path: ["meta", "lastTouchedAt"], value: new Date(now()).toISOString() });
  }
  return editText(text, edits, parse);
}

async function guarded<T>(code: ConfigErrorCode, file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ConfigError ? error : failure(code, file, error);
  }
}

function failure(code: ConfigErrorCode, file: string, cause: unknown): ConfigError {
  const verb = code === "CONFIG_UNREADABLE" ? "read" : "write";
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError(code, `cannot ${verb} ${file}: ${why}`, {
    hint: "Check the owner and the mode of the file and its folder.",
    cause,
  });
}

function changedMeanwhile(file: string): ConfigError {
  return new ConfigError("CONFIG_CHANGED", `${file} was changed by somebody else meanwhile.`, {
    hint: "Nothing was written. Look at the file, and try again.",
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
