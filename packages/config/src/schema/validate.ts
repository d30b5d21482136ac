import type { z } from "zod";
import { type ConfigIssue, ROOT_PATH } from "../config-issue.ts";
import { isObject, joinPath } from "../json.ts";
import { nearest } from "../nearest.ts";
import { configSchema, type OpenClawConfig } from "./config-schema.ts";
import { knownKeys } from "./known-keys.ts";
import { MOVED_KEYS, OLD_BIND_WORDS, UNSUPPORTED_KEYS } from "./moved-keys.ts";

/** A validated config, or everything that is wrong with it. */
export type Validation =
  | { ok: true; config: OpenClawConfig }
  | { ok: false; issues: ConfigIssue[] };

const KNOWN_KEYS = knownKeys(configSchema);
const SECRET_KEY = /token|password|secret|apikey|edgeauth/iu;

/** Checks a config against the schema. */
export function validateConfig(value: unknown): Validation {
  const result = configSchema.safeParse(value);
  if (result.success) return { ok: true, config: result.data };
  return { ok: false, issues: result.error.issues.flatMap((issue) => configIssues(issue, value)) };
}

function configIssues(issue: z.core.$ZodIssue, root: unknown): ConfigIssue[] {
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(joinPath(path, key)));
  }
  const found = issue.path.reduce<unknown>(step, root);
  return [
    {
      kind: "invalid-value",
      path: path === "" ? ROOT_PATH : path,
      message: `found ${describe(found, path)}; allowed: ${issue.message}${advice(path, found, issue)}`,
    },
  ];
}

function unknownKey(path: string): ConfigIssue {
  const base = { kind: "unknown-key", path } as const;
  const moved = MOVED_KEYS[path];
  if (moved !== undefined) {
    return { ...base, message: `this key is now ${moved}`, nearest: moved };
  }
  if (UNSUPPORTED_KEYS.has(path)) {
    return { ...base, message: "this key is not supported by this version" };
  }
  const near = nearestKey(path);
  const siblings = keysBeside(path).map((key) => key.slice(key.lastIndexOf(".") + 1));
  if (near !== undefined) {
    return { ...base, message: `unknown key; did you mean ${near}?`, nearest: near };
  }
  return { ...base, message: `unknown key; known here: ${siblings.join(", ")}` };
}

/** A slip of a key beside it, else the same word elsewhere in the tree, the shallowest first. */
function nearestKey(path: string): string | undefined {
  const word = lastWord(path);
  const siblings = keysBeside(path);
  const near = nearest(word, siblings.map(lastWord));
  if (near !== undefined) return siblings.find((key) => lastWord(key) === near);
  return KNOWN_KEYS.filter((key) => lastWord(key).toLowerCase() === word.toLowerCase()).sort(
    (a, b) => a.split(".").length - b.split(".").length,
  )[0];
}

function keysBeside(path: string): string[] {
  const parent = path.slice(0, Math.max(0, path.length - lastWord(path).length));
  return KNOWN_KEYS.filter(
    (key) => key.startsWith(parent) && !key.slice(parent.length).includes("."),
  );
}

function advice(path: string, found: unknown, issue: z.core.$ZodIssue): string {
  if (isObject(found) && SECRET_KEY.test(lastWord(path))) {
    return "; secret references are not supported, write ${VARIABLE} instead";
  }
  if (typeof found !== "string" || issue.code !== "invalid_value") return "";
  const word =
    (path === "gateway.bind" ? OLD_BIND_WORDS[found] : undefined) ??
    nearest(found, issue.values.map(String));
  return word === undefined ? "" : `; did you mean "${word}"?`;
}

/** What was found, without giving away what may be a secret. */
function describe(found: unknown, path: string): string {
  if (found === null) return "null";
  if (found === undefined) return "nothing";
  if (Array.isArray(found)) return "a list";
  if (isObject(found)) return "an object";
  if (SECRET_KEY.test(path)) return `a ${typeof found}`;
  if (typeof found === "number" || typeof found === "boolean") return `${typeof found} ${found}`;
  if (typeof found !== "string") return `a ${typeof found}`;
  // A URL may carry a user's password.
  if (/:\/\/[^/]*@/u.test(found)) return "a URL with credentials";
  return found.length > 60 ? `${JSON.stringify(found.slice(0, 60))}…` : JSON.stringify(found);
}

function step(value: unknown, key: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(key)] as unknown;
  return isObject(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => joinPath(text, typeof key === "number" ? key : String(key)),
    "",
  );
}

function lastWord(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
