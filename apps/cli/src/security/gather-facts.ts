import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { asObject } from "@openclaw/app-kit";
import { expandHome, readConfigLoosely } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import { type AuditFacts, type FileFacts, listAt, textAt } from "./audit-facts.ts";

/** Reads what the checks judge by. What cannot be read is left out, never guessed. */
export async function gatherFacts({
  paths,
  env,
}: Pick<CommandContext, "paths" | "env">): Promise<AuditFacts> {
  const { stateDir, configPath, home } = paths;
  const [loose, literal] = await Promise.all([
    readConfigLoosely({ path: configPath, env }),
    // Without any variable, what has a value is written in the file.
    readConfigLoosely({ path: configPath, env: {} }),
  ]);
  const log = textAt(loose.config, "logging.file");
  const agents = await names(join(stateDir, "agents"));
  const [stateFile, configFile, credentialsDir, logFile] = await Promise.all([
    facts(stateDir),
    facts(configPath),
    facts(join(stateDir, "credentials")),
    log === undefined ? undefined : facts(expandHome(log, home)),
  ]);
  return {
    config: loose.config,
    literals: literal.config,
    ...(loose.problem === undefined ? {} : { problem: loose.problem.message }),
    env,
    paths: { home, stateDir, configPath },
    files: {
      includes: await existing(loose.includes),
      agentDirs: await existing(agents.map((agent) => join(stateDir, "agents", agent, "agent"))),
      authProfiles: await existing(
        agents.map((agent) => join(stateDir, "agents", agent, "agent", "auth-profiles.json")),
      ),
      sessionStores: await existing(
        agents.map((agent) => join(stateDir, "agents", agent, "sessions", "sessions.json")),
      ),
      ...(stateFile === undefined ? {} : { stateDir: stateFile }),
      ...(configFile === undefined ? {} : { config: configFile }),
      ...(credentialsDir === undefined ? {} : { credentialsDir }),
      ...(logFile === undefined ? {} : { log: logFile }),
    },
    extensions: await names(join(stateDir, "extensions")),
    pairedSenders: await pairedSenders(stateDir),
  };
}

/** Senders that were let in by pairing, for each channel that keeps a list. */
export async function readPairedSenders(stateDir: string, channel: string): Promise<string[]> {
  try {
    const path = join(stateDir, "credentials", `${channel}-allowFrom.json`);
    const store: unknown = JSON.parse(await readFile(path, "utf8"));
    return listAt(asObject(store), "allowFrom");
  } catch {
    return [];
  }
}

async function pairedSenders(stateDir: string): Promise<Record<string, number>> {
  const suffix = "-allowFrom.json";
  const channels = (await names(join(stateDir, "credentials")))
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));
  const counts = await Promise.all(
    channels.map(
      async (channel) => [channel, (await readPairedSenders(stateDir, channel)).length] as const,
    ),
  );
  return Object.fromEntries(counts);
}

async function existing(files: readonly string[]): Promise<FileFacts[]> {
  const found = await Promise.all(files.map(facts));
  return found.filter((file) => file !== undefined);
}

async function facts(path: string): Promise<FileFacts | undefined> {
  try {
    const isLink = (await lstat(path)).isSymbolicLink();
    const stats = await stat(path);
    // A device such as /dev/null is for everybody, and is nothing that the Gateway keeps.
    if (!stats.isFile() && !stats.isDirectory()) return undefined;
    const { mode } = stats;
    // The bits that Windows reports are made up; its rights are in access lists.
    return platform() === "win32" ? { path, isLink } : { path, isLink, mode: mode & 0o777 };
  } catch {
    return undefined;
  }
}

async function names(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}
