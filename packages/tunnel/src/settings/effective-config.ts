import type { ConfiguredForward, SshSettings } from "./ssh-settings.ts";

/** What ssh_config says for one host, whoever read it, before paths are expanded. */
export interface EffectiveConfig {
  readonly source: SshSettings["source"];
  /**
   * By keyword in lower case, what was set for it. Keywords that may be repeated and lists of files
   * have several values. IdentityFile and the algorithm lists are there only if somebody set them.
   */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly localForwards: readonly ConfiguredForward[];
  /** Where ssh looks for a private key when none is configured. */
  readonly defaultIdentityFiles: readonly string[];
  /** What `%C` stands for, where ssh told it. */
  readonly connectionHash: string | undefined;
  /** Whether a user, not the system's own file, asks for GSSAPIAuthentication. */
  readonly wantsGssapi: boolean;
  /** Criteria of `Match` that were not decided, so that their blocks do not apply. */
  readonly undecidedCriteria: readonly string[];
}

/** The one value of a keyword. */
export function valueOf(config: EffectiveConfig, keyword: string): string | undefined {
  return config.values.get(keyword)?.[0];
}

/** Whether a keyword says yes. */
export function isYes(config: EffectiveConfig, keyword: string): boolean {
  return /^(?:yes|true)$/iu.test(valueOf(config, keyword) ?? "");
}

/** Whether a keyword says no. */
export function isNo(config: EffectiveConfig, keyword: string): boolean {
  return /^(?:no|false)$/iu.test(valueOf(config, keyword) ?? "");
}

/** Whether a keyword has another value than `none`. */
export function isGiven(config: EffectiveConfig, keyword: string): boolean {
  const value = valueOf(config, keyword);
  return value !== undefined && value.toLowerCase() !== "none";
}
