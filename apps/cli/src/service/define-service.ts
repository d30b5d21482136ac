import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import process from "node:process";
import {
  type ServiceDefinition,
  serviceEnvironment,
  serviceLogs,
  servicePath,
} from "@openclaw/service";
import { usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { VERSION } from "../version.ts";
import type { CliService } from "./cli-services.ts";
import { environmentFilePath } from "./environment-file.ts";
import { programEntry } from "./program-entry.ts";

export interface DefineOptions {
  /** Words behind the program, such as `gateway run --port 18789`. */
  readonly words: readonly string[];
  readonly port?: number | undefined;
}

const TITLES = {
  gateway: "OpenClaw Gateway",
  node: "OpenClaw Node",
  tunnel: "OpenClaw SSH Tunnel",
};

/**
 * The definition of a service that runs this program. Its secrets are read by Node itself, from a
 * private file beside the state, each time it starts.
 */
export function defineService(
  context: CommandContext,
  { ref }: CliService,
  { words, port }: DefineOptions,
): ServiceDefinition {
  const { env, io, paths } = context;
  const { kind, names, profile, name } = ref;
  const { platform } = process;
  const about = [...(profile === undefined ? [] : [`profile: ${profile}`]), `v${VERSION}`];
  return {
    ...ref,
    description: `${TITLES[kind]} (${about.join(", ")})`,
    programArguments: [
      runtimePath(context),
      `--env-file-if-exists=${environmentFilePath(paths.stateDir, kind)}`,
      programEntry(),
      ...words,
    ],
    environment: serviceEnvironment({
      kind,
      names,
      home: io.homedir,
      stateDir: paths.stateDir,
      configPath: paths.configPath,
      profile,
      name,
      port,
      version: VERSION,
      path: servicePath({ platform, home: io.homedir, env, exists: existsSync }),
    }),
    logs: serviceLogs(paths.stateDir, names, platform),
  };
}

/** @throws {CliError} for a runtime that cannot run this program */
function runtimePath(context: CommandContext): string {
  if (context.text("runtime") === "bun") {
    throw usageError(
      "--runtime bun cannot run this program, which needs node:sqlite.",
      "Leave it out, or name another Node: --runtime-path /usr/bin/node",
    );
  }
  const path = context.text("runtime-path");
  if (path === undefined) return process.execPath;
  if (!isAbsolute(path) || !existsSync(path)) {
    throw usageError(
      `--runtime-path must be the absolute path of a Node, not ${JSON.stringify(path)}.`,
    );
  }
  return path;
}
