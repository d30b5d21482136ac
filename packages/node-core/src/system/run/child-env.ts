import { delimiter } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** Names that change which code an interpreter or the loader runs before the program itself. */
const FORBIDDEN = new Set([
  "NODE_OPTIONS",
  "PYTHONHOME",
  "PYTHONPATH",
  "PERL5LIB",
  "PERL5OPT",
  "RUBYOPT",
]);
const FORBIDDEN_PREFIXES = ["DYLD_", "LD_"];

/** Credentials of the node that no command needs. */
const SECRETS = ["OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD"];

/** What may differ when only listed programs may run: looks, not behaviour. */
const HARMLESS = /^(?:TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|LANG|LANGUAGE|LC_\w+|TZ)$/;

export interface ChildEnvOptions {
  /** Environment of the node. */
  base: Env;
  /** What the caller asks for. */
  overrides: Env;
  /** Only names that cannot change what a listed program does are taken over. @default false */
  isRestricted?: boolean;
  platform: NodeJS.Platform;
}

/**
 * The environment of a command: that of the node without its credentials, and of the caller's wishes
 * those that are allowed. PATH may only be extended in front. The rest is dropped silently, as
 * published nodes do.
 */
export function childEnv(options: ChildEnvOptions): Record<string, string> {
  const { base, overrides, isRestricted = false, platform } = options;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && !SECRETS.includes(fold(name, platform))) env[name] = value;
  }
  // Windows names are the same in any case; the base says how it writes them.
  const known = new Map(Object.keys(env).map((name) => [fold(name, platform), name]));
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined || name === "" || name.includes("=") || name.includes("\0")) continue;
    if (value.includes("\0") || isForbidden(name)) continue;
    if (isRestricted && !HARMLESS.test(name)) continue;
    const target = known.get(fold(name, platform)) ?? name;
    if (name.toUpperCase() === "PATH" && !extendsPath(value, env[target])) continue;
    env[target] = value;
  }
  return env;
}

/** PATH of an environment, however the platform writes the name. */
export function pathOf(env: Env): string {
  const name = Object.keys(env).find((each) => each.toUpperCase() === "PATH");
  return (name === undefined ? undefined : env[name]) ?? "";
}

function fold(name: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? name.toUpperCase() : name;
}

function isForbidden(name: string): boolean {
  const upper = name.toUpperCase();
  return FORBIDDEN.has(upper) || FORBIDDEN_PREFIXES.some((prefix) => upper.startsWith(prefix));
}

function extendsPath(value: string, base: string | undefined): boolean {
  return base === undefined || value === base || value.endsWith(`${delimiter}${base}`);
}
