import { basename } from "node:path";
import type { ConfigIssue } from "../config-issue.ts";
import { isObject } from "../json.ts";
import { IncludeFiles, type IncludeRoots } from "./include-files.ts";
import {
  combined,
  mergeLocated,
  type Located,
  type Origin,
  type Origins,
} from "./located-value.ts";

/** The key whose value names the files that are put in its place. */
export const INCLUDE = "$include";
/** How deep files may include each other. */
export const MAX_INCLUDE_DEPTH = 10;
/** How many includes one config may have in all, so that a few small files cannot grow without end. */
const MAX_INCLUDES = 200;

/** Characters that includes may bring in all, each file as often as it is included. */
const MAX_INCLUDED_LENGTH = 4 * 1024 * 1024;

/** A config with every `$include` replaced. */
export interface ExpandedConfig extends Located {
  /** The texts of the included files, by their real paths. */
  readonly texts: ReadonlyMap<string, string>;
  readonly origins: Origins;
}

/** What ends an expansion. */
class IncludeFailure extends Error {
  /** The `$include` that cannot be done. */
  readonly at: Origin;
  /** What is wrong within the included file, where that was the reason. */
  readonly issue: ConfigIssue | undefined;

  constructor(message: string, at: Origin, issue?: ConfigIssue) {
    super(message);
    this.at = at;
    this.issue = issue;
  }
}

/** The config that came of it, or what cannot be included and where that is written. */
export type Expansion =
  | { readonly ok: true; readonly expanded: ExpandedConfig }
  | {
      readonly ok: false;
      readonly message: string;
      readonly at: Origin;
      /** What is wrong within the included file, where that was the reason. */
      readonly issue: ConfigIssue | undefined;
      readonly texts: ReadonlyMap<string, string>;
    };

/**
 * Replaces every `$include` of a config by what is in the files that it names, which may include others
 * in turn. Several files are merged in their order; keys beside `$include` are merged over them.
 *
 * @param file the file that the value was read from, its real path.
 */
export async function expandIncludes(
  file: string,
  value: unknown,
  roots: IncludeRoots,
): Promise<Expansion> {
  const files = new IncludeFiles(roots);
  const expander = new Expander(files);
  try {
    const root = await expander.expand({ value, origin: { file, steps: [] } }, [file]);
    return { ok: true, expanded: { ...root, origins: expander.origins, texts: files.texts } };
  } catch (error) {
    if (!(error instanceof IncludeFailure)) throw error;
    const { message, at, issue } = error;
    return { ok: false, message, at, issue, texts: files.texts };
  }
}

class Expander {
  readonly origins: Origins = new WeakMap();
  readonly files: IncludeFiles;
  #includes = 0;
  #length = 0;

  constructor(files: IncludeFiles) {
    this.files = files;
  }

  /** @param chain the files on the way here, the one that the value is in last. */
  async expand(located: Located, chain: readonly string[]): Promise<Located> {
    const { value, origin } = located;
    // Most of a config includes nothing, and a long list is not walked item by item.
    if (!hasInclude(value)) return located;
    if (Array.isArray(value)) {
      const parts = await this.#expandParts([...value.entries()], origin, chain);
      if (parts.every(([step, part]) => part.value === value[step])) return located;
      const items = parts.map(([, part]) => part.value);
      return combined(items, origins(parts), origin, this.origins);
    }
    if (!isObject(value)) return located;
    const { [INCLUDE]: names, ...siblings } = value;
    const isIncluding = Object.hasOwn(value, INCLUDE);
    const parts = await this.#expandParts(Object.entries(siblings), origin, chain);
    if (!isIncluding && parts.every(([key, part]) => part.value === value[key])) return located;
    const members = Object.fromEntries(parts.map(([key, part]) => [key, part.value]));
    const own = combined(members, origins(parts), origin, this.origins);
    if (!isIncluding) return own;

    const at = { file: origin.file, steps: [...origin.steps, INCLUDE] };
    const included = await this.#include(names, at, chain);
    if (parts.length === 0) return included;
    if (!isObject(included.value)) {
      throw new IncludeFailure("what is included is no object, and cannot have keys beside it", at);
    }
    return mergeLocated([included, own], this.origins);
  }

  async #expandParts<S extends string | number>(
    entries: readonly (readonly [S, unknown])[],
    { file, steps }: Origin,
    chain: readonly string[],
  ): Promise<(readonly [S, Located])[]> {
    const parts: (readonly [S, Located])[] = [];
    for (const [step, value] of entries) {
      const place = { value, origin: { file, steps: [...steps, step] } };
      // One after the other, so that of several faults the first is told.
      // oxlint-disable-next-line no-await-in-loop
      parts.push([step, await this.expand(place, chain)]);
    }
    return parts;
  }

  /** The files that one `$include` names, merged in their order. */
  async #include(names: unknown, at: Origin, chain: readonly string[]): Promise<Located> {
    const list: readonly unknown[] = Array.isArray(names) ? names : [names];
    const found: Located[] = [];
    for (const name of list) {
      if (typeof name !== "string" || name.trim() === "") {
        throw new IncludeFailure("allowed: the path of a file, or a list of them", at);
      }
      // In their order, since the later one wins.
      // oxlint-disable-next-line no-await-in-loop
      found.push(await this.#includeOne(name, at, chain));
    }
    const [first, ...others] = found;
    if (first === undefined) throw new IncludeFailure("found an empty list of files", at);
    return mergeLocated([first, ...others], this.origins);
  }

  async #includeOne(name: string, at: Origin, chain: readonly string[]): Promise<Located> {
    this.#includes += 1;
    if (this.#includes > MAX_INCLUDES) {
      throw new IncludeFailure(`more than ${MAX_INCLUDES} includes in one config`, at);
    }
    const found = await this.files.read(name, at.file);
    if (!found.ok)
      throw new IncludeFailure(`${JSON.stringify(name)} ${found.fault}`, at, found.issue);
    const { file, value } = found;
    this.#length += this.files.texts.get(file)?.length ?? 0;
    if (this.#length > MAX_INCLUDED_LENGTH) {
      throw new IncludeFailure(`more than ${MAX_INCLUDED_LENGTH} characters are included`, at);
    }
    const cycle = chain.indexOf(file);
    if (cycle >= 0) {
      const names = [...chain.slice(cycle), file].map((path) => basename(path)).join(" -> ");
      throw new IncludeFailure(`these files include each other: ${names}`, at);
    }
    if (chain.length > MAX_INCLUDE_DEPTH) {
      throw new IncludeFailure(`includes are nested deeper than ${MAX_INCLUDE_DEPTH}`, at);
    }
    return this.expand({ value, origin: { file, steps: [] } }, [...chain, file]);
  }
}

/** Whether there is an `$include` anywhere. Configs are not deep; see `MAX_NESTING`. */
function hasInclude(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasInclude);
  if (!isObject(value)) return false;
  return Object.hasOwn(value, INCLUDE) || Object.values(value).some(hasInclude);
}

function origins<S extends string | number>(
  parts: readonly (readonly [S, Located])[],
): (readonly [S, Origin])[] {
  return parts.map(([step, { origin }]) => [step, origin]);
}
