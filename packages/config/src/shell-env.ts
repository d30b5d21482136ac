import { execFile } from "node:child_process";
import { isAbsolute } from "node:path";
import { promisify } from "node:util";
import { readEnv, type Env } from "./env.ts";
import { valueAt } from "./json.ts";

/** Runs a program and tells what it has written to stdout; rejects when it fails. */
export type RunShell = (
  file: string,
  args: readonly string[],
  options: { readonly env: Env; readonly timeoutMs: number },
) => Promise<string>;

/** Options of {@link importShellEnv}. */
export interface ShellEnvOptions {
  config: object;
  env: Env;
  /** @default the real one */
  runShell?: RunShell | undefined;
}

/** The variables that are taken from the shell: keys of models and channels, and the Gateway's secrets. */
export const SHELL_VARIABLES: readonly string[] = [
  "OPENAI_API_KEY",
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_OAUTH_TOKEN",
  "GEMINI_API_KEY",
  "ZAI_API_KEY",
  "OPENROUTER_API_KEY",
  "AI_GATEWAY_API_KEY",
  "MINIMAX_API_KEY",
  "SYNTHETIC_API_KEY",
  "ELEVENLABS_API_KEY",
  "TELEGRAM_BOT_TOKEN",
  "DISCORD_BOT_TOKEN",
  "SLACK_BOT_TOKEN",
  "SLACK_APP_TOKEN",
  "OPENCLAW_GATEWAY_TOKEN",
  "OPENCLAW_GATEWAY_PASSWORD",
];

const DEFAULT_TIMEOUT_MS = 15_000;
const MAX_OUTPUT_BYTES = 2 * 1024 * 1024;

/**
 * Asks the login shell for the {@link SHELL_VARIABLES} that are missing, once, and only when one is.
 * The words for the shell are fixed; nothing of the config or the environment becomes part of them. A
 * shell that fails, or takes longer than `env.shellEnv.timeoutMs`, changes nothing.
 */
export async function importShellEnv({
  config,
  env,
  runShell = execShell,
}: ShellEnvOptions): Promise<Env> {
  const missing = SHELL_VARIABLES.filter((name) => isBlank(env[name]));
  if (missing.length === 0) return env;
  const shell = env["SHELL"]?.trim() ?? "";
  // A name without a folder would be looked up in PATH, which may begin anywhere.
  const file = isAbsolute(shell) ? shell : "/bin/sh";
  let output: string;
  try {
    const options = { env, timeoutMs: timeoutOf(config, env) };
    output = await runShell(file, ["-l", "-c", "env -0"], options);
  } catch {
    return env;
  }
  const found = new Map(
    output.split("\0").map((entry): [string, string] => {
      const equals = entry.indexOf("=");
      return [entry.slice(0, Math.max(0, equals)), entry.slice(equals + 1)];
    }),
  );
  const added = missing
    .map((name) => [name, found.get(name)] as const)
    .filter(([, value]) => !isBlank(value));
  return { ...env, ...Object.fromEntries(added) };
}

function timeoutOf(config: object, env: Env): number {
  const variable = Number(readEnv(env, "OPENCLAW_SHELL_ENV_TIMEOUT_MS")?.value ?? Number.NaN);
  if (Number.isInteger(variable) && variable >= 0) return variable;
  const key = valueAt(config, "env.shellEnv.timeoutMs");
  return typeof key === "number" && Number.isInteger(key) && key >= 0 ? key : DEFAULT_TIMEOUT_MS;
}

async function execShell(
  file: string,
  args: readonly string[],
  { env, timeoutMs }: { readonly env: Env; readonly timeoutMs: number },
): Promise<string> {
  const { stdout } = await promisify(execFile)(file, [...args], {
    env: { ...env },
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: MAX_OUTPUT_BYTES,
    windowsHide: true,
  });
  return stdout;
}

function isBlank(value: string | undefined): boolean {
  return value === undefined || value.trim() === "";
}
