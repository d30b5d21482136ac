import type { z } from "zod";

export type Validated<T> = { ok: true; value: T } | { ok: false; detail: string };

/**
 * Checks a value and says what is wrong in the words that peers know (wire §2.1): `must have required
 * property 'nodeId'`, `at /client/id: must be equal to one of the allowed values`; several faults
 * are joined with `; `.
 */
export function validateParams<S extends z.ZodType>(
  schema: S,
  value: unknown,
): Validated<z.output<S>> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const faults = result.error.issues.flatMap((issue) => describe(issue, value));
  return { ok: false, detail: [...new Set(faults)].join("; ") };
}

type Issue = z.core.$ZodIssue;

function describe(issue: Issue, root: unknown): string[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${at(issue.path, "at root")}: unexpected property '${key}'`);
  const missing = missingProperty(issue, root);
  if (missing !== undefined) return [missing];
  const prefix = at(issue.path, "");
  const rule = ruleOf(issue);
  return [prefix === "" ? rule : `${prefix}: ${rule}`];
}

/** An absent member is a fault of the object that should have it. */
function missingProperty(issue: Issue, root: unknown): string | undefined {
  const name = issue.path.at(-1);
  if (name === undefined || typeof name === "number") return undefined;
  const parent = valueAt(root, issue.path.slice(0, -1));
  if (typeof parent !== "object" || parent === null || Object.hasOwn(parent, name))
    return undefined;
  const prefix = at(issue.path.slice(0, -1), "");
  const rule = `must have required property '${String(name)}'`;
  return prefix === "" ? rule : `${prefix}: ${rule}`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[name];
  }
  return value;
}

function at(path: readonly PropertyKey[], root: string): string {
  return path.length === 0 ? root : `at /${path.map(pointer).join("/")}`;
}

/** A token of a JSON Pointer (RFC 6901). */
function pointer(name: PropertyKey): string {
  return String(name).replaceAll("~", "~0").replaceAll("/", "~1");
}

function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return issue.values.length === 1
        ? "must be equal to constant"
        : "must be equal to one of the allowed values";
    case "too_small":
      return issue.origin === "string"
        ? `must NOT have fewer than ${issue.minimum} characters`
        : issue.origin === "array"
          ? `must NOT have fewer than ${issue.minimum} items`
          : `must be >= ${issue.minimum}`;
    case "too_big":
      return issue.origin === "string"
        ? `must NOT have more than ${issue.maximum} characters`
        : issue.origin === "array"
          ? `must NOT have more than ${issue.maximum} items`
          : `must be <= ${issue.maximum}`;
    case "invalid_format":
      return issue.format === "regex"
        ? `must match pattern "${String(issue.pattern ?? "").replace(/^\/|\/[a-z]*$/g, "")}"`
        : `must match format "${issue.format}"`;
    case "invalid_union":
      return "must match a schema in anyOf";
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: "integer",
  record: "object",
};
