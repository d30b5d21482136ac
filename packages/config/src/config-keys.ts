import type { ReloadKind } from "./schema/config-node.ts";
import type { OpenClawConfig } from "./schema/config-schema.ts";

/** A key of the config file, as the schema describes it. */
export interface ConfigKey {
  /** Dotted path; `<name>` stands for a name that the user chooses, and `[]` for the items of a list. */
  readonly path: string;
  readonly summary: string;
  /** What may stand there, in words: a type, a range, the words that are allowed. */
  readonly allowed: string;
  /** What counts while the key is missing: a value, or words about it in Markdown. */
  readonly fallback?: { readonly value: unknown } | { readonly text: string };
  readonly unit?: string;
  readonly reload: ReloadKind;
  readonly isSecret: boolean;
  /** Whether other keys are below it. */
  readonly isSection: boolean;
  /** What has to be true of several keys of the section together. */
  readonly rules: readonly string[];
}

/** Fills in defaults. */
export interface ConfigDefaults {
  /** The default of every key that has one, as a config. */
  configDefaults(): OpenClawConfig;
  /** A config in which every key that is missing has its default, where that depends on nothing else. */
  applyDefaults(config: OpenClawConfig): OpenClawConfig;
}

/** Every key of the config file, in the order of the schema. Loads the schema. */
export async function listConfigKeys(): Promise<ConfigKey[]> {
  return (await import("./schema/validate.ts")).listKeys();
}

/** What fills in defaults. Loads the schema. */
export async function loadConfigDefaults(): Promise<ConfigDefaults> {
  return import("./schema/validate.ts");
}
