import process from "node:process";
import type { EngineOptions, OpenSshConnection, SshConnection } from "../engine.ts";
import { type Env } from "./child-environment.ts";
import { findSshProgram } from "../../settings/find-ssh-program.ts";
import { TunnelError } from "../../errors.ts";
import { openSharedConnection } from "./open-shared-connection.ts";

/** Options of {@link createSystemEngine}. */
export interface SystemEngineOptions {
  /** Absolute path of ssh. @default found in the system's own directories, then on PATH */
  readonly sshProgram?: string | undefined;
  /** The user's environment. @default process.env */
  readonly env?: Env | undefined;
  /** Why this engine was chosen, for people. @default "asked for" */
  readonly reason?: string | undefined;
  /** As `TunnelOptions.sshConfig`. */
  readonly sshConfig?: string | false | undefined;
  /** As `TunnelOptions.identity`: given to ssh only then. */
  readonly identity?: string | undefined;
  /** As `TunnelOptions.knownHosts`: given to ssh only then. */
  readonly knownHosts?: string | undefined;
}

/** {@link SystemEngineOptions} with their defaults. */
export interface ResolvedSystemEngineOptions extends SystemEngineOptions {
  readonly sshProgram: string;
  readonly env: Env;
  readonly reason: string;
}

/** An engine that has the system's ssh carry the connection. */
export function createSystemEngine(options: SystemEngineOptions = {}): OpenSshConnection {
  const { env = process.env, reason = "asked for" } = options;
  return async (engineOptions, signal) => {
    signal.throwIfAborted();
    const sshProgram = options.sshProgram ?? findSshProgram(env);
    if (sshProgram === undefined) {
      throw new TunnelError("ENGINE_MISSING", "the system has no ssh.", {
        hint: "Install an OpenSSH client.",
      });
    }
    return openSharedConnection({ ...options, sshProgram, env, reason }, engineOptions, signal);
  };
}

/** {@link createSystemEngine} with every default. */
export const openSystemConnection: OpenSshConnection = (
  options: EngineOptions,
  signal: AbortSignal,
): Promise<SshConnection> => createSystemEngine()(options, signal);
