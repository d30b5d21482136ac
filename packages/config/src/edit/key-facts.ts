import type { IsSecretPath } from "./redact-config.ts";
import type { ConfigPath } from "./config-path.ts";

/** What is known of single keys, by their paths. */
export interface KeyFacts {
  readonly isSecretPath: IsSecretPath;
  /** What a running Gateway has to do when the value there changes. */
  readonly reloadKind: (path: ConfigPath) => "restart" | "hot" | "none";
}

// All of the schema is one file in a program that is built, and this is its name.

/** Loads the schema, of which whoever only reads the file has no need. */
export async function loadKeyFacts(): Promise<KeyFacts> {
  return import("../schema/validate.ts");
}

/** The JSON Schema of a config file, for editors and for who asks over the wire. */
export async function loadConfigJsonSchema(): Promise<Readonly<Record<string, unknown>>> {
  const { configJsonSchema } = await import("../schema/validate.ts");
  return configJsonSchema();
}
