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
  return editAll(
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
  return parsed.ok ? editAll(text, formerSecrets(parsed.value, former)) : text;
}

async function editAll(
  text: string,
  edits: Parameters<typeof import("./edit-text.ts").editText>[1],
): Promise<string> {
  if (edits.length === 0) return text;
  const [{ editText }, { default: json5 }] = await Promise.all([
    import("./edit-text.ts"),
    import("json5"),
  ]);
  return editText(text, edits, (source) => json5.parse<unknown>(source));
}
