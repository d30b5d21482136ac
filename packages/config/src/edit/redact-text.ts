import type { ConfigEdit } from "./edit-text.ts";
import { parseConfigText } from "../parse-config-text.ts";
import { findSecrets, formerSecrets, type IsSecretPath, REDACTED } from "./redact-config.ts";

/** A config text with the mark in place of every secret; `null` where the text is no JSON5. */
export async function redactConfigText(
  text: string,
  isSecretPath: IsSecretPath,
): Promise<string | null> {
  const parsed = await parseConfigText(text);
  if (!parsed.ok) return null;
  const secrets = findSecrets(parsed.value, isSecretPath);
  return editConfigText(
    text,
    secrets.map((path) => ({ path, value: REDACTED })),
  );
}

/**
 * A config text with the former secrets where it has the mark. A text that is no JSON5 stays as it is.
 *
 * @param former the config whose secrets were hidden.
 * @throws {@link ConfigError} `INVALID_EDIT` where the mark stands for nothing
 */
export async function restoreConfigText(text: string, former: unknown): Promise<string> {
  const parsed = await parseConfigText(text);
  return parsed.ok ? editConfigText(text, formerSecrets(parsed.value, former)) : text;
}

/**
 * Makes changes in a config text as `editConfigFile` does, and checks nothing.
 *
 * @throws {@link ConfigError} `INVALID_EDIT`
 */
export async function editConfigText(text: string, edits: readonly ConfigEdit[]): Promise<string> {
  if (edits.length === 0) return text;
  const [{ editText }, { default: json5 }] = await Promise.all([
    import("./edit-text.ts"),
    import("json5"),
  ]);
  return editText(text, edits, (source) => json5.parse<unknown>(source));
}
