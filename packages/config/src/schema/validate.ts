import { type ConfigIssue, ROOT_PATH } from "../config-issue.ts";
import { formatConfigPath } from "../edit/config-path.ts";
import { REDACTED } from "../edit/redact-config.ts";
import { isObject } from "../json.ts";
import { carriesCredential } from "../url-credentials.ts";
import { nearest } from "../nearest.ts";
import { configSchema, type OpenClawConfig } from "./config-schema.ts";
import type { ConfigNode } from "./config-node.ts";
import type { Step } from "../include/located-value.ts";
import { knownKeys } from "./known-keys.ts";
import { movedKey, OLD_BIND_WORDS, UNSUPPORTED_KEYS } from "./moved-keys.ts";

export { expandConfigPaths } from "./expand-config-paths.ts";
export { configJsonSchema } from "./json-schema.ts";
export {
  applyDefaults,
  configDefaults,
  isRestriction,
  isSecretPath,
  reloadKind,
} from "./key-facts.ts";
export { listKeys } from "./list-keys.ts";

/** A validated config, or everything that is wrong with it. */
export type Validation =
  | { ok: true; config: OpenClawConfig }
  | {
      ok: false;
      issues: ConfigIssue[];
      /** For each issue the steps to its value, or to the key that is not known. */
      places: (readonly Step[])[];
    };

/** More is of no use to anybody, and a long list of wrong items must not fill the memory. */
const MAX_ISSUES = 100;

interface Check {
  readonly issues: ConfigIssue[];
  readonly places: (readonly Step[])[];
}

/** A value, and where it is. */
interface Place {
  readonly node: ConfigNode;
  readonly value: unknown;
  readonly steps: readonly Step[];
  /** Whether the value, or one around it, is a secret. */
  readonly isSecret: boolean;
}

/** Checks a config against the schema: the first hundred problems, in the order of the file. */
export function validateConfig(value: unknown): Validation {
  const check: Check = { issues: [], places: [] };
  checkValue({ node: configSchema, value, steps: [], isSecret: false }, check);
  // Every key was checked against the schema that the type is made of.
  if (check.issues.length === 0) return { ok: true, config: value as OpenClawConfig };
  return { ok: false, ...check };
}

function checkValue(place: Place, check: Check): void {
  const { node, value } = place;
  if (value === REDACTED) {
    // It is the same everywhere: as a secret it would let everybody in who has seen it.
    const message =
      "found the mark of a hidden secret; allowed: the secret itself, or a reference such as ${NAME}";
    add({ kind: "invalid-value", path: pathText(place.steps), message }, place.steps, check);
    return;
  }
  switch (node.kind) {
    case "section":
      checkSection(place, node, check);
      return;
    case "list":
      checkList(place, node, check);
      return;
    case "either":
      checkEither(place, node, check);
      return;
    default: {
      const allowed = problemOf(node, value);
      if (allowed !== undefined) report(place, allowed, check);
    }
  }
}

/** What is allowed in place of a value that has no parts; nothing when the value is right. */
function problemOf(node: ConfigNode, value: unknown): string | undefined {
  switch (node.kind) {
    case "text":
      if (typeof value !== "string") return node.allowed;
      if (value === "" && !node.mayBeEmpty && node.allowed === "a string") {
        return "a string that is not empty";
      }
      return (node.isRight?.(value) ?? node.pattern?.test(value) ?? true)
        ? undefined
        : node.allowed;
    case "number":
      return typeof value === "number" &&
        (node.isInteger ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
        value >= node.min &&
        value <= node.max
        ? undefined
        : node.allowed;
    case "flag":
      return typeof value === "boolean" ? undefined : "true or false";
    case "word":
      return node.words.some((word) => word === value) ? undefined : wordsText(node.words);
    default:
      return undefined;
  }
}

function checkSection(
  place: Place,
  node: Extract<ConfigNode, { kind: "section" }>,
  check: Check,
): void {
  const { value } = place;
  if (!isObject(value)) {
    // Whoever left a level out wrote the secret itself here.
    report({ ...place, isSecret: place.isSecret || holdsSecrets(node) }, "an object", check);
    return;
  }
  const before = check.issues.length;
  for (const key of Object.keys(value)) checkMember(place, node, key, value[key], check);
  // A rule is of use only where its keys are what they should be.
  if (check.issues.length > before) return;
  for (const { path, allowed } of (node.rules ?? []).flatMap((rule) => rule.problems(value))) {
    const isSecret =
      place.isSecret ||
      path.some((step) => Object.hasOwn(node.keys, step) && node.keys[step]?.isSecret);
    const found = path.reduce<unknown>(step, value);
    report({ node, value: found, steps: [...place.steps, ...path], isSecret }, allowed, check);
  }
}

/** Whether a secret may stand in a section or anywhere below it. */
function holdsSecrets(node: ConfigNode): boolean {
  switch (node.kind) {
    case "section": {
      const parts = [...Object.values(node.keys), ...(node.rest ? [node.rest] : [])];
      return parts.some((part) => part.isSecret === true || holdsSecrets(part));
    }
    case "list":
      return node.item.isSecret === true || holdsSecrets(node.item);
    case "either":
      return node.options.some((option) => option.isSecret === true || holdsSecrets(option));
    default:
      return false;
  }
}

function checkMember(
  { steps, isSecret }: Place,
  { keys, rest, restKey }: Extract<ConfigNode, { kind: "section" }>,
  key: string,
  value: unknown,
  check: Check,
): void {
  if (value === undefined) return;
  const place = [...steps, key];
  const known = Object.hasOwn(keys, key) ? keys[key] : undefined;
  const node = known ?? rest;
  if (node === undefined) {
    const named = Object.keys(keys).filter((name) => keys[name]?.isElsewhere !== true);
    add(unknownKey(steps, key, named), place, check);
  } else if (known === undefined && restKey !== undefined && !restKey.pattern.test(key)) {
    const message = `found the name ${quote(key)}; allowed: ${restKey.allowed}`;
    add({ kind: "invalid-value", path: pathText(place), message }, place, check);
  } else {
    checkValue({ node, value, steps: place, isSecret: isSecret || node.isSecret === true }, check);
  }
}

function checkList(
  place: Place,
  { item, allowed, minItems, maxItems }: Extract<ConfigNode, { kind: "list" }>,
  check: Check,
): void {
  const { value, steps, isSecret } = place;
  if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) {
    const isSecretHere = isSecret || item.isSecret === true || holdsSecrets(item);
    report({ ...place, isSecret: isSecretHere }, allowed, check);
    return;
  }
  for (const [index, part] of value.entries()) {
    if (check.issues.length >= MAX_ISSUES) return;
    checkValue({ node: item, value: part, steps: [...steps, index], isSecret }, check);
  }
}

/** Whoever wrote a list or an object meant the shape that is one, and is told what is wrong in it. */
function checkEither(
  place: Place,
  { options, allowed }: Extract<ConfigNode, { kind: "either" }>,
  check: Check,
): void {
  const { value } = place;
  const meant = options.find(
    ({ kind }) =>
      (kind === "list" && Array.isArray(value)) || (kind === "section" && isObject(value)),
  );
  if (meant !== undefined) {
    checkValue({ ...place, node: meant }, check);
  } else if (!options.some((option) => isRight(option, value))) {
    report(place, allowed, check);
  }
}

function isRight(node: ConfigNode, value: unknown): boolean {
  return node.kind !== "list" && node.kind !== "section" && problemOf(node, value) === undefined;
}

function report(place: Place, allowed: string, check: Check): void {
  const path = pathText(place.steps);
  const message = `found ${describe(place)}; allowed: ${allowed}${advice(place, path)}`;
  add({ kind: "invalid-value", path, message }, place.steps, check);
}

function add(issue: ConfigIssue, steps: readonly Step[], { issues, places }: Check): void {
  if (issues.length >= MAX_ISSUES) return;
  issues.push(issue);
  places.push(steps);
}

function unknownKey(steps: readonly Step[], key: string, known: readonly string[]): ConfigIssue {
  const path = pathText([...steps, key]);
  const base = { kind: "unknown-key", path } as const;
  const moved = movedKey(path);
  if (moved !== undefined) {
    return { ...base, message: `this key is now ${moved}`, nearest: moved };
  }
  if (UNSUPPORTED_KEYS.has(path)) {
    return { ...base, message: "this key is not supported by this version" };
  }
  const near = nearest(key, known);
  const nearPath = near === undefined ? sameWordElsewhere(key) : pathText([...steps, near]);
  if (nearPath !== undefined) {
    return { ...base, message: `unknown key; did you mean ${nearPath}?`, nearest: nearPath };
  }
  return { ...base, message: `unknown key; known here: ${known.join(", ")}` };
}

/** The shallowest key of each word. Made when the first key is not known, which is rarely. */
let shallowest: ReadonlyMap<string, string> | undefined;

/** The same word elsewhere in the tree, the shallowest first. */
function sameWordElsewhere(word: string): string | undefined {
  shallowest ??= new Map(
    knownKeys(configSchema)
      .toReversed()
      // The deepest first, so that the shallowest, of several the first, is what stays in the map.
      .toSorted((a, b) => b.split(".").length - a.split(".").length)
      .map((key) => [lastWord(key).toLowerCase(), key]),
  );
  return shallowest.get(word.toLowerCase());
}

function advice({ node, value, isSecret }: Place, path: string): string {
  if (isObject(value) && isSecret) {
    return "; secret references are not supported, write ${VARIABLE} instead";
  }
  if (typeof value !== "string" || node.kind !== "word") return "";
  const word =
    (path === "gateway.bind" ? OLD_BIND_WORDS[value] : undefined) ??
    nearest(value, node.words.map(String));
  return word === undefined ? "" : `; did you mean "${word}"?`;
}

/** What was found, without giving away what may be a secret. */
function describe({ value, isSecret }: Place): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  if (isSecret) return `a ${typeof value}`;
  if (typeof value === "number" || typeof value === "boolean") return `${typeof value} ${value}`;
  if (typeof value !== "string") return `a ${typeof value}`;
  if (/:\/\/[^/]*@/u.test(value) || carriesCredential(value)) return "a URL with credentials";
  return quote(value);
}

function quote(text: string): string {
  return text.length > 60 ? `${JSON.stringify(text.slice(0, 60))}…` : JSON.stringify(text);
}

function wordsText(words: readonly (string | boolean)[]): string {
  return words.map((word) => JSON.stringify(word)).join(", ");
}

function step(value: unknown, key: Step): unknown {
  if (Array.isArray(value)) return value[Number(key)] as unknown;
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function lastWord(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/** A path for people: the root and a key without a name have to be called something. */
function pathText(steps: readonly Step[]): string {
  if (steps.length === 0) return ROOT_PATH;
  const path = formatConfigPath(steps);
  return path === "" ? '""' : path;
}
