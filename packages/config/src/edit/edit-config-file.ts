import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ConfigError, type ConfigErrorCode } from "../config-error.ts";
import type { Env } from "../env.ts";
import { isObject, type JsonObject } from "../json.ts";
import { parseConfigText } from "../parse-config-text.ts";
import { substituteVariables } from "../substitute.ts";
import type { ConfigEdit, ParseJson5 } from "./edit-text.ts";

/** Options of {@link editConfigFile}. */
export interface EditConfigOptions {
  /** For `${VAR}` while the result is checked; a variable that is missing counts as unset. @default {} */
  env?: Env;
  /** How long another process may work on the file before this gives up. @default 5_000 */
  lockTimeoutMs?: number;
}

/** What {@link editConfigFile} did. */
export interface EditedConfig {
  /** The file itself, where `path` was a link to it. */
  readonly path: string;
  /** False when everything was so already; then nothing was written. */
  readonly changed: boolean;
  /** The former text is here; absent when there was none, or nothing was written. */
  readonly backupPath?: string;
  /** The config before and after, as it is written: `${VAR}` stands as it is. */
  readonly before: JsonObject;
  readonly after: JsonObject;
}

/**
 * Changes single keys of a config file and leaves the rest of its text as it is: comments, order,
 * keys of others. A file that is missing is made, with mode 0600 as after every change.
 *
 * The result is checked against the schema before it replaces the file, whole or not at all; the
 * former text stays beside it as `.bak`. Only one process works on the file at a time, and whoever
 * writes to it without asking is noticed. Values are written as they are given: `${NAME}` is a
 * reference, `$${NAME}` the text.
 *
 * @param edits the changes, or what makes them of the config that is there.
 * @throws {@link ConfigError} `CONFIG_UNREADABLE` for a file that is no JSON5 object, which stays as
 * it is; `CONFIG_INVALID` with `issues`; `INVALID_EDIT`, `CONFIG_LOCKED`, `CONFIG_CHANGED`,
 * `CONFIG_NOT_WRITTEN`
 */
export async function editConfigFile(
  path: string,
  edits: readonly ConfigEdit[] | ((config: JsonObject) => readonly ConfigEdit[]),
  { env = {}, lockTimeoutMs = 5_000 }: EditConfigOptions = {},
): Promise<EditedConfig> {
  const file = await realFile(path);
  // What edits is loaded here, so that whoever only reads does not pay for it.
  const [{ withFileLock }, { editText, editValue, toPlain }, { default: json5 }] =
    await Promise.all([
      import("./file-lock.ts"),
      import("./edit-text.ts"),
      import("json5"),
      guarded("CONFIG_NOT_WRITTEN", file, () =>
        mkdir(dirname(file), { recursive: true, mode: 0o700 }),
      ),
    ]);
  const parse: ParseJson5 = (text) => json5.parse<unknown>(text);

  return withFileLock(`${file}.lock`, lockTimeoutMs, async () => {
    const text = await readText(file);
    const before = await parseObject(file, text ?? "");
    const list = typeof edits === "function" ? edits(before) : edits;
    const base = text === undefined || text.trim() === "" ? "{}\n" : text;
    const edited = editText(base, list, parse);
    const after = await parseObject(file, edited);
    const wanted = list.reduce<unknown>(editValue, before);
    if (!isDeepStrictEqual(toPlain(after), toPlain(wanted))) {
      throw new ConfigError("CONFIG_NOT_WRITTEN", `cannot edit ${file} without changing more.`, {
        hint: "Change the keys by hand.",
      });
    }
    if (edited === base) return { path: file, changed: false, before, after };
    await assertValid(file, after, env);
    const backupPath = text === undefined ? undefined : `${file}.bak`;
    const assertUnchanged = async (): Promise<void> => {
      if ((await readText(file)) !== text) throw changed(file);
    };
    await guarded("CONFIG_NOT_WRITTEN", file, async () => {
      await assertUnchanged();
      if (backupPath !== undefined) await writeWhole(backupPath, text ?? "");
      await writeWhole(file, edited, assertUnchanged);
    });
    const backup = backupPath === undefined ? {} : { backupPath };
    return { path: file, changed: true, ...backup, before, after };
  });
}

/** The file behind links, so that a rename replaces the file and not the link. */
async function realFile(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isCode(error, "ENOENT")) return path;
    throw failure("CONFIG_UNREADABLE", path, error);
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    // Bytes that are no text must not be written back as something else.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch (error) {
    // No file is an empty config; one that cannot be read is not.
    if (isCode(error, "ENOENT")) return undefined;
    throw failure("CONFIG_UNREADABLE", file, error);
  }
}

async function parseObject(file: string, text: string): Promise<JsonObject> {
  const parsed = await parseConfigText(text);
  const problem = parsed.ok ? "is not an object" : parsed.issue.message;
  if (parsed.ok && isObject(parsed.value)) return parsed.value;
  throw new ConfigError("CONFIG_UNREADABLE", `${file} ${problem}; it stays as it is.`, {
    hint: "Mend the file by hand, or move it away to start with an empty one.",
    issues: parsed.ok ? [] : [parsed.issue],
  });
}

async function assertValid(file: string, config: JsonObject, env: Env): Promise<void> {
  const { validateConfig } = await import("../schema/validate.ts");
  const validation = validateConfig(substituteVariables(config, env).value);
  if (validation.ok) return;
  const [first] = validation.issues;
  throw new ConfigError(
    "CONFIG_INVALID",
    `${file} would not be valid: ${first?.path}: ${first?.message}.`,
    { hint: "Nothing was written. Mend that key first.", issues: validation.issues },
  );
}

/** After a crash there is the old text or the new one. `beforeReplace` may still object. */
async function writeWhole(
  path: string,
  text: string,
  beforeReplace: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const draft = `${path}.${process.pid}.${randomUUID()}.tmp`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await beforeReplace();
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Makes the rename itself durable, where the system has folders that can be synced. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The text is whole either way; after a power cut it may be the former one.
  }
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

function changed(file: string): ConfigError {
  return new ConfigError("CONFIG_CHANGED", `${file} was changed by somebody else meanwhile.`, {
    hint: "Nothing was written. Look at the file, and try again.",
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
