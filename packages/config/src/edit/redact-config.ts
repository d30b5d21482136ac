import { ConfigError } from "../config-error.ts";
import { isObject } from "../json.ts";
import { carriesCredential } from "../url-credentials.ts";
import { type ConfigPath, formatConfigPath, valueAtPath } from "./config-path.ts";
import { formerPlace } from "./former-place.ts";

/** Stands for a secret where it is not shown. Written back, it means: as it was. */
export const REDACTED = "__OPENCLAW_REDACTED__";

/** Whether the value at a path is a secret. */
export type IsSecretPath = (path: ConfigPath) => boolean;

/**
 * Paths of all secrets of a config that are written as such. One that is only a reference to a
 * variable, such as `${TOKEN}`, tells nothing and is not among them.
 */
export function findSecrets(config: unknown, isSecretPath: IsSecretPath): ConfigPath[] {
  const found: ConfigPath[] = [];
  function visit(value: unknown, path: ConfigPath): void {
    if (Array.isArray(value)) value.forEach((item, index) => visit(item, [...path, index]));
    else if (isObject(value)) {
      for (const [key, item] of Object.entries(value)) visit(item, [...path, key]);
    } else if (isHidden(value, path, isSecretPath)) {
      found.push(path);
    }
  }
  visit(config, []);
  return found;
}

/** A secret, or a URL that somebody wrote one into. */
function isHidden(value: unknown, path: ConfigPath, isSecretPath: IsSecretPath): boolean {
  if (path.length === 0) return false;
  if (typeof value === "string" && carriesCredential(value)) return true;
  return isTelling(value) && isSecretPath(path);
}

/** The same config with the mark in place of every secret. */
export function redactConfig<T>(config: T, isSecretPath: IsSecretPath, path: ConfigPath = []): T {
  function visit(value: unknown, at: ConfigPath): unknown {
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...at, index]));
    if (isObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, visit(item, [...at, key])]),
      );
    }
    return isHidden(value, at, isSecretPath) ? REDACTED : value;
  }
  // Only texts and numbers became the mark, where the schema has secrets.
  return visit(config, path) as T;
}

/**
 * What stood where a new config has the mark; in a list that was changed, in the item that it was then.
 *
 * @throws {@link ConfigError} `INVALID_EDIT` where nothing stood there
 */
export function formerSecrets(
  config: unknown,
  former: unknown,
): { readonly path: ConfigPath; readonly value: unknown }[] {
  return findMarks(config).map((path) => {
    const place = formerPlace(config, former, path, REDACTED);
    const value = place === undefined ? undefined : valueAtPath(former, place);
    if (value !== undefined && value !== REDACTED) return { path, value };
    throw new ConfigError(
      "INVALID_EDIT",
      `${formatConfigPath(path)} is ${REDACTED}, and there is no former value to keep.`,
      { hint: "Write the secret itself, or a reference such as ${NAME}." },
    );
  });
}

/**
 * A new config with what stood before where it has the mark.
 *
 * @throws {@link ConfigError} `INVALID_EDIT` where nothing stood there
 */
export function restoreSecrets<T>(config: T, former: unknown): T {
  const secrets = new Map(
    formerSecrets(config, former).map(({ path, value }) => [JSON.stringify(path), value]),
  );
  function visit(value: unknown, path: ConfigPath): unknown {
    if (value === REDACTED) return secrets.get(JSON.stringify(path));
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]),
    );
  }
  // Only the mark was replaced, by what stood there.
  return visit(config, []) as T;
}

function findMarks(config: unknown): ConfigPath[] {
  if (config === REDACTED) return [[]];
  const entries: (readonly [string | number, unknown])[] = Array.isArray(config)
    ? [...config.entries()]
    : isObject(config)
      ? Object.entries(config)
      : [];
  return entries.flatMap(([key, value]) => findMarks(value).map((rest) => [key, ...rest]));
}

function isTelling(value: unknown): boolean {
  if (typeof value === "number") return true;
  return typeof value === "string" && value !== "" && !/^\$\{[A-Z_][A-Z0-9_]*\}$/u.test(value);
}
