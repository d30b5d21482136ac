/** An environment as `process.env` has it. Always a parameter: this package reads no global. */
export type Env = Readonly<Record<string, string | undefined>>;

/** A name of this product's environment variables. */
export type OpenClawVariable = `OPENCLAW_${string}`;

/** A value and the variable it came from, which may be an old name. */
export interface EnvValue {
  value: string;
  name: string;
}

/** An environment in which every old name has been copied to the new one. */
export interface NormalizedEnv {
  env: Record<string, string>;
  /** At most one line: which old names are in use and what they are called now. */
  warnings: string[];
}

const PREFIX = "OPENCLAW_";
/** Names of earlier releases, in the order in which they are asked. */
const OLD_PREFIXES = ["CLAWDBOT_", "MOLTBOT_"] as const;

/**
 * Reads one variable: the current name, then `CLAWDBOT_…`, then `MOLTBOT_…`. Blank values count as
 * unset, and surrounding white space is dropped.
 */
export function readEnv(env: Env, name: OpenClawVariable): EnvValue | undefined {
  const suffix = name.slice(PREFIX.length);
  for (const candidate of [name, ...OLD_PREFIXES.map((prefix) => prefix + suffix)]) {
    const value = ownValue(env, candidate);
    if (value !== undefined) return { value, name: candidate };
  }
  return undefined;
}

/**
 * Copies `CLAWDBOT_X` and `MOLTBOT_X` to `OPENCLAW_X` where that is unset. Returns a new object;
 * the caller's stays as it was. The warning names variables, never values.
 */
export function normalizeEnv(env: Env): NormalizedEnv {
  // One pass over what may be the environment of the process, where each look costs.
  const given = Object.entries(env).filter((entry) => entry[1] !== undefined);
  // Those without a value are gone.
  const result = Object.fromEntries(given) as Record<string, string>;
  const former = given
    .map(([name]) => name)
    .filter((name) => OLD_PREFIXES.some((prefix) => name.startsWith(prefix)))
    .sort();
  const renamed: string[] = [];
  for (const prefix of OLD_PREFIXES) {
    for (const name of former) {
      const suffix = name.slice(prefix.length);
      const value = ownValue(result, name);
      if (!name.startsWith(prefix) || suffix === "" || value === undefined) continue;
      if (ownValue(result, PREFIX + suffix) !== undefined) continue;
      result[PREFIX + suffix] = value;
      renamed.push(`${name} (now ${PREFIX + suffix})`);
    }
  }
  const warnings =
    renamed.length === 0
      ? []
      : [`Old environment variable names are in use: ${renamed.join(", ")}.`];
  return { env: result, warnings };
}

/** Whether a switch variable such as `OPENCLAW_ALLOW_INSECURE_PRIVATE_WS` is on. */
export function isEnvSwitchOn(env: Env, name: OpenClawVariable): boolean {
  const value = readEnv(env, name)?.value.toLowerCase();
  return value !== undefined && ["1", "true", "yes", "on"].includes(value);
}

function ownValue(env: Env, name: string): string | undefined {
  const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined;
  return value === "" ? undefined : value;
}
