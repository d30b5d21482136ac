import type { EffectiveConfig } from "../effective-config.ts";
import type { Env } from "../find-ssh-program.ts";
import type { SshTarget } from "../../target.ts";
import type { LocalUser } from "../tokens.ts";
import { TunnelError } from "../../errors.ts";

export interface ReadConfigOptions {
  readonly target: SshTarget;
  readonly through: string | undefined;
  readonly file: string | false | undefined;
  readonly localUser: LocalUser;
  readonly env: Env;
  readonly signal: AbortSignal | undefined;
}

export async function readConfigFiles(_options: ReadConfigOptions): Promise<EffectiveConfig> {
  throw new TunnelError("ENGINE_MISSING", "no ssh program was found.");
}
