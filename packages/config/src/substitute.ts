import { readEnv, type Env, type OpenClawVariable } from "./env.ts";
import { isObject, joinPath } from "./json.ts";

/** A `${NAME}` in the file whose variable is unset or empty. The value there counts as unset. */
export interface UnresolvedReference {
  /** Dotted path of the value. */
  path: string;
  /** Name of the variable. */
  name: string;
}

/** A value whose `${NAME}` references have been replaced. */
export interface Substitution {
  value: unknown;
  unresolved: UnresolvedReference[];
}

const REFERENCE = /(\$)?\$\{([A-Z_][A-Z0-9_]*)\}/gu;

/**
 * Replaces `${NAME}` in every string of a JSON value, in one pass. `$${NAME}` yields `${NAME}`;
 * keys, numbers, `$NAME`, `${lower}` and `${NAME:-x}` are left alone. A string that refers to a
 * variable without a value is left out of the result and reported, so that the text of a reference
 * is never taken for a secret.
 */
export function substituteVariables(root: unknown, env: Env): Substitution {
  const unresolved: UnresolvedReference[] = [];

  function visit(value: unknown, path: string): unknown {
    if (typeof value === "string") return visitText(value, path);
    if (Array.isArray(value)) {
      return value
        .map((item: unknown, index) => visit(item, joinPath(path, index)))
        .filter((item) => item !== undefined);
    }
    if (!isObject(value)) return value;
    const entries = Object.entries(value)
      .map(([key, item]) => [key, visit(item, joinPath(path, key))] as const)
      .filter(([, item]) => item !== undefined);
    // fromEntries defines properties, so that a key "__proto__" stays a key.
    return Object.fromEntries(entries);
  }

  function visitText(text: string, path: string): string | undefined {
    if (!text.includes("${")) return text;
    let isComplete = true;
    const result = text.replaceAll(REFERENCE, (_, escape: string | undefined, name: string) => {
      if (escape !== undefined) return `\${${name}}`;
      const value = lookUp(env, name);
      if (value === undefined) {
        unresolved.push({ path, name });
        isComplete = false;
      }
      return value ?? "";
    });
    return isComplete ? result : undefined;
  }

  return { value: visit(root, ""), unresolved };
}

/** The reference that left a path without a value, if one did. */
export function unresolvedAt(
  unresolved: readonly UnresolvedReference[] | undefined,
  path: string,
): UnresolvedReference | undefined {
  return unresolved?.find((reference) => reference.path === path);
}

function lookUp(env: Env, name: string): string | undefined {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined && value.trim() !== "") return value;
  if (!name.startsWith("OPENCLAW_")) return undefined;
  // The prefix was checked above; old names of the same variable may still hold the value.
  return readEnv(env, name as OpenClawVariable)?.value;
}
