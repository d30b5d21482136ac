import { join } from "node:path";
import { ConfigError } from "./config-error.ts";
import { readEnv, type Env } from "./env.ts";

/** What `--profile <name>` and `--dev` before the command asked for. */
export type ProfileFlags =
  | {
      ok: true;
      profile: string | undefined;
      /** The arguments without the profile flags. */
      argv: string[];
    }
  | {
      ok: false;
      /** For stderr, after the program's name; the exit code is 2. */
      message: string;
    };

/** Port that the `dev` profile uses unless one is set. */
export const DEV_GATEWAY_PORT = 19_001;

const PROFILE_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/iu;
/** Global flags that take a value, which must not be mistaken for the command. */
const FLAGS_WITH_VALUE = new Set(["--log-level", "--container"]);

/** Whether a profile may be called so. */
export function isProfileName(name: string): boolean {
  return PROFILE_NAME.test(name);
}

/**
 * Takes `--profile <name>`, `--profile=<name>` and `--dev` from the arguments before the command.
 * Behind the command the same words belong to the command: `gateway run --dev` is another flag.
 *
 * @param argv arguments without the interpreter and the script.
 */
export function parseProfileFlags(argv: readonly string[]): ProfileFlags {
  const rest: string[] = [];
  let profile: string | undefined;
  let isDev = false;
  let index = 0;
  for (; index < argv.length; index += 1) {
    const arg = argv[index] ?? "";
    if (!arg.startsWith("-") || arg === "--") break;
    if (arg === "--dev") {
      isDev = true;
    } else if (arg === "--profile" || arg.startsWith("--profile=")) {
      const inline = arg === "--profile" ? undefined : arg.slice("--profile=".length);
      const name = inline ?? argv[(index += 1)];
      if (name === undefined || name === "") {
        return { ok: false, message: "--profile wants a name." };
      }
      if (!isProfileName(name)) return { ok: false, message: invalidProfile(name) };
      profile = name;
    } else {
      rest.push(arg);
      const value = argv[index + 1];
      if (FLAGS_WITH_VALUE.has(arg) && value !== undefined) {
        rest.push(value);
        index += 1;
      }
    }
  }
  if (isDev && profile !== undefined) {
    return {
      ok: false,
      message: "--dev is itself a profile; it cannot be combined with --profile.",
    };
  }
  return { ok: true, profile: isDev ? "dev" : profile, argv: [...rest, ...argv.slice(index)] };
}

/**
 * The environment that a profile stands for: `OPENCLAW_PROFILE`, `OPENCLAW_STATE_DIR`,
 * `OPENCLAW_CONFIG_PATH`, and for `dev` the port. Variables that are set already stay.
 *
 * @throws {@link ConfigError} `INVALID_PROFILE`
 */
export function applyProfile(env: Env, profile: string, home: string): Env {
  if (!isProfileName(profile)) throw new ConfigError("INVALID_PROFILE", invalidProfile(profile));
  const isDefault = profile.toLowerCase() === "default";
  const stateDir =
    readEnv(env, "OPENCLAW_STATE_DIR")?.value ??
    join(home, isDefault ? ".openclaw" : `.openclaw-${profile}`);
  const effects = {
    OPENCLAW_PROFILE: profile,
    OPENCLAW_STATE_DIR: stateDir,
    OPENCLAW_CONFIG_PATH: join(stateDir, "openclaw.json"),
    ...(profile.toLowerCase() === "dev" ? { OPENCLAW_GATEWAY_PORT: String(DEV_GATEWAY_PORT) } : {}),
  } as const;
  const result: Record<string, string | undefined> = { ...env };
  for (const [name, value] of Object.entries(effects)) {
    // The keys of `effects` all begin with OPENCLAW_; Object.entries forgets that.
    if (readEnv(env, name as keyof typeof effects) === undefined) result[name] = value;
  }
  return result;
}

function invalidProfile(name: string): string {
  return `profile name ${JSON.stringify(name.slice(0, 80))} is not allowed: use letters, digits, "-" and "_", at most 64, beginning with a letter or digit.`;
}
