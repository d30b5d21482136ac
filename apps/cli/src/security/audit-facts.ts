import type { Env, JsonObject, Paths } from "@openclaw/config";
import { asObject, isObject } from "@openclaw/app-kit";
import type { Finding } from "./finding.ts";

/** A file or folder as the system describes it. */
export interface FileFacts {
  readonly path: string;
  /** Permission bits; absent where the system has none. */
  readonly mode?: number;
  readonly isLink: boolean;
}

/** Files that an audit looks at. Those that do not exist are left out. */
export interface AuditFiles {
  readonly stateDir?: FileFacts;
  readonly config?: FileFacts;
  readonly includes: readonly FileFacts[];
  readonly credentialsDir?: FileFacts;
  readonly agentDirs: readonly FileFacts[];
  readonly authProfiles: readonly FileFacts[];
  readonly sessionStores: readonly FileFacts[];
  readonly log?: FileFacts;
}

/** Everything that the checks judge by. They read nothing themselves. */
export interface AuditFacts {
  /** The config with variables replaced. */
  readonly config: JsonObject;
  /** Why the config could not be read; then it is empty, and says nothing. */
  readonly problem?: string;
  /** The config without what comes from a variable: what is here stands in the file. */
  readonly literals: JsonObject;
  readonly env: Env;
  readonly paths: Pick<Paths, "home" | "stateDir" | "configPath">;
  readonly files: AuditFiles;
  /** Names of extensions that are installed in the state directory. */
  readonly extensions: readonly string[];
  /** Senders of direct messages that each channel's pairing store lets in. */
  readonly pairedSenders: Readonly<Record<string, number>>;
}

/** A check: what it finds, if anything. */
export type Check = (facts: AuditFacts) => readonly Finding[];

/** The value at a dotted path. */
export function at(config: JsonObject, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => {
    const object = asObject(value);
    return Object.hasOwn(object, key) ? object[key] : undefined;
  }, config);
}

/** A string that says something. */
export function textAt(config: JsonObject, path: string): string | undefined {
  const value = at(config, path);
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

/** The strings of a list; numbers count, since ids are written as both. */
export function listAt(config: JsonObject, path: string): string[] {
  const value = at(config, path);
  if (!Array.isArray(value)) return [];
  return value
    .filter((item): item is string | number => typeof item === "string" || typeof item === "number")
    .map(String);
}

/** The members of an object that are objects themselves. */
export function entriesAt(config: JsonObject, path: string): [string, JsonObject][] {
  return Object.entries(asObject(at(config, path))).filter((entry): entry is [string, JsonObject] =>
    isObject(entry[1]),
  );
}
