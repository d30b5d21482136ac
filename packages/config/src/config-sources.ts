import { readFile, realpath } from "node:fs/promises";
import { type ConfigIssue, ROOT_PATH } from "./config-issue.ts";
import { formatConfigPath } from "./edit/config-path.ts";
import type { Env } from "./env.ts";
import type { Located, Origins } from "./include/located-value.ts";
import { isObject, type JsonObject } from "./json.ts";
import { parseConfigText } from "./parse-config-text.ts";
import { envHome } from "./paths.ts";

/** Options of {@link readConfigSources}. */
export interface SourceOptions {
  /** The file, as `resolvePaths` found it. It may be missing. */
  path: string;
  env: Env;
}

/** A config put together from its files: `${VAR}` stands as it is, and nothing is checked. */
export interface ConfigSources extends Located {
  readonly value: JsonObject;
  readonly origins: Origins;
  /** The text of every file, by the path that origins name. */
  readonly texts: ReadonlyMap<string, string>;
  /** The included files. */
  readonly includes: readonly string[];
}

/** The sources, or what keeps them from being read; a file that is missing is neither. */
export type ReadSources =
  | { readonly kind: "read"; readonly sources: ConfigSources }
  | { readonly kind: "missing" }
  | { readonly kind: "broken"; readonly issue: ConfigIssue };

/** Reads a config file and what it includes. Never rejects. */
export async function readConfigSources({ path, env }: SourceOptions): Promise<ReadSources> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { kind: "missing" };
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return broken({ kind: "unreadable", path: ROOT_PATH, message, file: path });
  }
  const parsed = await parseConfigText(text);
  if (!parsed.ok) return broken({ ...parsed.issue, file: path });
  const expanded = hasInclude(parsed.value)
    ? await expand({ path, env }, text, parsed.value)
    : unexpanded(path, text, parsed.value);
  if ("kind" in expanded) return expanded;
  const { value } = expanded;
  if (isObject(value)) return { kind: "read", sources: { ...expanded, value } };
  const found = Array.isArray(value) ? "an array" : JSON.stringify(typeof value);
  const message = `found ${found}; allowed: an object`;
  return broken({ kind: "invalid-value", path: ROOT_PATH, message, file: expanded.origin.file });
}

type Expanded = Omit<ConfigSources, "value"> & { readonly value: unknown };

function unexpanded(path: string, text: string, value: unknown): Expanded {
  return {
    value,
    origin: { file: path, steps: [] },
    origins: new WeakMap(),
    texts: new Map([[path, text]]),
    includes: [],
  };
}

async function expand(
  { path, env }: SourceOptions,
  text: string,
  value: unknown,
): Promise<Expanded | Extract<ReadSources, { kind: "broken" }>> {
  // Few configs include others, and the rest need not load what does it.
  const [{ expandIncludes }, { includeRoots }] = await Promise.all([
    import("./include/expand-includes.ts"),
    import("./include/include-files.ts"),
  ]);
  const file = await realpath(path).catch(() => path);
  const expansion = await expandIncludes(
    file,
    value,
    includeRoots([path, file], env, envHome(env)),
  );
  if (expansion.ok) {
    const { texts, ...rest } = expansion.expanded;
    return { ...rest, texts: new Map([...texts, [file, text]]), includes: [...texts.keys()] };
  }
  const { at, message, issue } = expansion;
  const base = { kind: "include", path: formatConfigPath(at.steps) } as const;
  // A fault within the included file is shown there.
  if (issue !== undefined) {
    return broken({ ...issue, ...base, message: `${message}; included by ${at.file}` });
  }
  const { positionIn } = await import("./config-position.ts");
  const source = at.file === file ? text : (expansion.texts.get(at.file) ?? "");
  const position = await positionIn(source, at.steps);
  return broken({ ...base, message, file: at.file, ...position });
}

function broken(issue: ConfigIssue): Extract<ReadSources, { kind: "broken" }> {
  return { kind: "broken", issue };
}

/** Whether there is an `$include` anywhere. Configs are not deep; see `MAX_NESTING`. */
function hasInclude(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasInclude);
  if (!isObject(value)) return false;
  return Object.hasOwn(value, "$include") || Object.values(value).some(hasInclude);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
