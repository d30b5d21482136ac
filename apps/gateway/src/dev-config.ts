import { existsSync, mkdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { messageOf } from "@openclaw/app-kit";
import { editConfigFile, type Env, loadConfig, type Paths } from "@openclaw/config";
import { isAlive, readInstance } from "./instance-file.ts";
import type { StartRefusal } from "./start-refusal.ts";

export interface PrepareDevInput {
  /** Put the former config and state aside first. */
  readonly reset: boolean;
  readonly paths: Pick<Paths, "home" | "profile" | "stateDir" | "configPath">;
  readonly env: Env;
  readonly now?: () => Date;
}

/** What was done, one line each, or why nothing was. */
export type PreparedDev = { readonly notes: readonly string[] } | { refusal: StartRefusal };

const DEV_AGENT = "dev";

/**
 * `--dev`: makes a config for development where there is none. With `reset` the former one goes first,
 * and with it credentials, sessions and the development workspace. They are moved, not deleted, into a
 * folder of their own in the state directory.
 *
 * Only what `--dev` has made may be reset, or what belongs to the profile `dev`: the same word typed
 * in front of another config must not take that away.
 */
export async function prepareDev(input: PrepareDevInput): Promise<PreparedDev> {
  const notes: string[] = [];
  if (input.reset) {
    const moved = await reset(input);
    if ("refusal" in moved) return moved;
    notes.push(...moved.notes);
  }
  const { env, paths } = input;
  if (existsSync(paths.configPath)) return { notes };
  const workspace = devWorkspace(paths);
  await editConfigFile(
    paths.configPath,
    [
      { path: "gateway.mode", value: "local" },
      { path: "gateway.bind", value: "loopback" },
      { path: "agents.defaults.workspace", value: workspace },
      { path: "agents.defaults.skipBootstrap", value: true },
      { path: "agents.list", value: [{ id: DEV_AGENT, default: true, workspace }] },
    ],
    { env },
  );
  notes.push(`Made a config for development: ${paths.configPath}`);
  return { notes };
}

/** The folder of the agent `dev`: `workspace-dev`, and with another profile `workspace-<name>-dev`. */
function devWorkspace({ home, profile }: PrepareDevInput["paths"]): string {
  const isPlain = profile === undefined || profile === "default" || profile === DEV_AGENT;
  return join(home, ".openclaw", isPlain ? "workspace-dev" : `workspace-${profile}-dev`);
}

async function reset({
  paths,
  env,
  now = () => new Date(),
}: PrepareDevInput): Promise<PreparedDev> {
  const { stateDir, configPath } = paths;
  const refuse = (message: string, ...hints: string[]): PreparedDev => ({
    refusal: { id: "reset", message: `--reset: ${message}`, hints, exitCode: 1 },
  });
  if (!(await isForDevelopment({ paths, env }))) {
    return refuse(
      `${configPath} is not a config that --dev has made, so nothing was touched`,
      "The profile dev has a config and a state of its own: openclaw --dev gateway run --dev --reset",
    );
  }
  const instance = readInstance(stateDir);
  if (instance !== undefined && isAlive(instance.pid)) {
    return refuse(
      `a Gateway runs with the state in ${stateDir} (pid ${instance.pid})`,
      "Stop it first: openclaw gateway stop",
    );
  }
  const folder = join(stateDir, "reset-backups", now().toISOString().replaceAll(/[:.]/g, "-"));
  const places = [
    devWorkspace(paths),
    join(stateDir, "agents"),
    join(stateDir, "sessions"),
    join(stateDir, "credentials"),
    // The last: as long as it is there, a reset that was cut short can be repeated.
    configPath,
  ].filter((path) => existsSync(path));
  if (places.length === 0) return { notes: [] };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const path of places) renameSync(path, join(folder, basename(path)));
  } catch (error) {
    return refuse(
      `cannot put everything aside: ${messageOf(error)}`,
      `What was moved is in ${folder}.`,
    );
  }
  const names = places.map((path) => basename(path)).join(", ");
  return { notes: [`Put aside ${names}; to have them back, take them from ${folder}`] };
}

/** Without a config there may still be the state of a Gateway that is configured elsewhere. */
async function isForDevelopment({
  paths,
  env,
}: Pick<PrepareDevInput, "paths" | "env">): Promise<boolean> {
  if (paths.profile === DEV_AGENT) return true;
  if (!existsSync(paths.configPath)) return !existsSync(paths.stateDir);
  const loaded = await loadConfig({ path: paths.configPath, env });
  const agents = loaded.ok ? loaded.config.agents?.list : undefined;
  return agents?.length === 1 && agents[0]?.id === DEV_AGENT;
}
