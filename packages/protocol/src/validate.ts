import type * as z from "zod";
import {
  atPath,
  joinFailures,
  missingProperty,
  mustBe,
  mustEqualAllowedValue,
  mustEqualConstant,
  mustMatchAnyOf,
  shortened,
  tooLong,
  tooShort,
  unexpectedProperty,
} from "./failure-text.ts";

/** What {@link validateParams} made of a value. */
export type Validated<T> =
  | { ok: true; value: T }
  /** Why not, in the words that published peers use; several failures are joined with `; `. */
  | { ok: false; detail: string };

/**
 * Checks what came over the wire against a schema. The detail belongs behind
 * `invalid <method> params: `.
 */
export function validateParams<S extends z.ZodType>(
  schema: S,
  value: unknown,
): Validated<z.output<S>> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, detail: joinFailures(describeObject(result.error.issues, value, [])) };
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * The failures at and below one value: of an object first one missing and one unexpected property,
 * then its members in order.
 */
function describeObject(issues: readonly Issue[], root: unknown, path: Path): string[] {
  const pointer = path.map((name) => `/${shortened(String(name))}`).join("");
  const depth = path.length;
  const failures: string[] = [];

  const missing = issues.find((issue) => issue.path.length === depth + 1 && isMissing(issue, root));
  if (missing) failures.push(missingProperty(pointer, String(missing.path[depth])));
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys" || issue.path.length > depth) continue;
    failures.push(unexpectedProperty(pointer, issue.keys[0] ?? ""));
    break;
  }

  // Of a value of another type nothing else is worth saying; its length, for one, is zod's guess.
  const hasOtherType = issues.some(
    (issue) => issue.code === "invalid_type" && issue.path.length === depth,
  );
  const members = new Map<PropertyKey, Issue[]>();
  for (const issue of issues) {
    if (issue.path.length === depth) {
      if (hasOtherType && issue.code !== "invalid_type") continue;
      failures.push(...describeValue(issue, pointer, root));
      continue;
    }
    if (issue.path.length === depth + 1 && isMissing(issue, root)) continue;
    // Longer than `depth`, as was just seen.
    const name = issue.path[depth] as PropertyKey;
    const known = members.get(name);
    if (known) known.push(issue);
    else members.set(name, [issue]);
  }
  for (const [name, below] of members) {
    failures.push(...describeObject(below, root, [...path, name]));
  }
  return failures;
}

/** JSON has no `undefined`: where it is found, nothing was sent. */
function isMissing({ path }: Issue, root: unknown): boolean {
  let value = root;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return false;
    value = (value as Record<PropertyKey, unknown>)[name];
  }
  return value === undefined;
}

function describeValue(issue: Issue, pointer: string, root: unknown): string[] {
  if (issue.code === "unrecognized_keys") return [];
  if (issue.code === "invalid_union") {
    const options = issue.errors.flatMap((errors) =>
      errors.map((error) => ({ ...error, path: [...issue.path, ...error.path] })),
    );
    return [...describeObject(options, root, issue.path), atPath(pointer, mustMatchAnyOf)];
  }
  return [atPath(pointer, describeIssue(issue))];
}

/** Types that JSON Schema calls by another name. */
const TYPE_NAMES: Readonly<Record<string, string>> = { int: "integer", record: "object" };

function describeIssue(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      // A schema may bring its own words, as `integer` does.
      if (issue.message.startsWith("must ")) return issue.message;
      return mustBe(TYPE_NAMES[issue.expected] ?? issue.expected);
    case "invalid_value":
      return issue.values.length === 1 ? mustEqualConstant : mustEqualAllowedValue;
    case "not_multiple_of":
      return mustBe(issue.divisor === 1 ? "integer" : `multiple of ${issue.divisor}`);
    case "too_small":
      if (issue.origin === "string") return tooShort(issue.minimum, "characters");
      if (issue.origin === "array") return tooShort(issue.minimum, "items");
      return mustBe(`${issue.inclusive === false ? ">" : ">="} ${issue.minimum}`);
    case "too_big":
      if (issue.origin === "string") return tooLong(issue.maximum, "characters");
      if (issue.origin === "array") return tooLong(issue.maximum, "items");
      return mustBe(`${issue.inclusive === false ? "<" : "<="} ${issue.maximum}`);
    case "invalid_format":
      return issue.format === "regex" && issue.pattern !== undefined
        ? `must match pattern "${issue.pattern.replaceAll(/^\/|\/\w*$/g, "")}"`
        : `must match format "${issue.format}"`;
    default:
      return issue.message;
  }
}
