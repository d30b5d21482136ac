import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { readEnv } from "@openclaw/config";
import type { Check, DoctorFacts } from "../facts.ts";
import type { DoctorFinding } from "../finding.ts";

const OLD_NAME = /^(?:CLAWDBOT|MOLTBOT)_(.+)$/u;
/** Variables that outrank what somebody writes into the config, or hold a secret. */
const OVERRIDING = [
  "OPENCLAW_GATEWAY_TOKEN",
  "OPENCLAW_GATEWAY_PASSWORD",
  "OPENCLAW_GATEWAY_URL",
  "OPENCLAW_GATEWAY_PORT",
  "CLAWDBOT_GATEWAY_TOKEN",
  "CLAWDBOT_GATEWAY_PASSWORD",
];
const LAUNCHCTL_TIMEOUT_MS = 2_000;

/** Variables that say something else than the config, or say it under a former name. */
export const environmentChecks: readonly Check[] = [
  { group: "Environment", codes: ["env.old_name"], run: oldNames },
  { group: "Environment", codes: ["env.launchctl_override"], run: launchctlOverrides },
];

function oldNames({ context }: DoctorFacts): DoctorFinding[] {
  // As the shell has it: what counts has been given its new name already.
  const names = Object.keys(context.io.env)
    .filter((name) => OLD_NAME.test(name) && (context.io.env[name] ?? "").trim() !== "")
    .toSorted();
  if (names.length === 0) return [];
  return [
    {
      code: "env.old_name",
      severity: "warn",
      title: "Variables have names of an earlier release",
      evidence: names.map(
        (name) => `${name} is called ${newName(name)} now${overruled(name, context.io.env)}`,
      ),
      fix: "Rename them where they are set: the profile of your shell, a .env file, or a service file.",
    },
  ];
}

function newName(name: string): string {
  return name.replace(OLD_NAME, "OPENCLAW_$1");
}

function overruled(name: string, env: DoctorFacts["env"]): string {
  return (env[newName(name)] ?? "").trim() === "" ? "" : ", and has no effect beside it";
}

/** macOS keeps variables for a login session, which every program that is started later gets. */
async function launchctlOverrides({ machine, context }: DoctorFacts): Promise<DoctorFinding[]> {
  if (machine.platform !== "darwin") return [];
  const found = await Promise.all(
    OVERRIDING.map(async (name) => ((await launchctlHas(name, context.env)) ? [name] : [])),
  );
  return found.flat().map((name) => ({
    code: "env.launchctl_override",
    severity: "warn",
    title: "The login session sets a variable for every program",
    evidence: [
      `launchctl getenv ${name} has a value: ${hasAnother(name, context.env) ? "the Gateway may use another one than this shell" : "it stays when the config is changed"}`,
    ],
    fix: `launchctl unsetenv ${name}`,
  }));
}

function hasAnother(name: string, env: DoctorFacts["env"]): boolean {
  return readEnv(env, newName(name) as `OPENCLAW_${string}`) !== undefined;
}

async function launchctlHas(name: string, env: DoctorFacts["env"]): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)("launchctl", ["getenv", name], {
      env: { PATH: env["PATH"] },
      timeout: LAUNCHCTL_TIMEOUT_MS,
    });
    // The value itself goes no further.
    return stdout.trim() !== "";
  } catch {
    // Not set, or no session to ask.
    return false;
  }
}
