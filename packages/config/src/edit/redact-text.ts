import type { ConfigEdit } from "./edit-text.ts";
import { parseConfigText } from "../parse-config-text.ts";
import type { ConfigPath } from "./config-path.ts";
import type { OutlineNode, Range } from "./json5-outline.ts";
import { formerSecrets, type IsSecretPath, REDACTED, redactConfig } from "./redact-config.ts";

/** A config text with the mark in place of every secret; `null` where the text is no JSON5. */
export async function redactConfigText(
  text: string,
  isSecretPath: IsSecretPath,
): Promise<string | null> {
  const parsed = await parseConfigText(text);
  if (!parsed.ok) return null;
  if (text.trim() === "") return text;
  const [{ outlineOf }, { default: json5 }] = await Promise.all([
    import("./json5-outline.ts"),
    import("json5"),
  ]);
  const ranges: Range[] = [];
  // By what is written: of two members with one name the first counts for nothing and shows all the same.
  function visit(node: OutlineNode, path: ConfigPath): void {
    if (node.kind === "other") {
      const value: unknown = json5.parse(text.slice(node.start, node.end));
      if (redactConfig(value, isSecretPath, path) === REDACTED) ranges.push(node);
      return;
    }
    for (const { name, value } of node.members) {
      visit(value, [...path, node.kind === "list" ? Number(name) : name]);
    }
  }
  visit(outlineOf(text, (literal) => String(json5.parse<unknown>(literal))).root, []);
  return ranges.reduceRight(
    (shown, { start, end }) => shown.slice(0, start) + JSON.stringify(REDACTED) + shown.slice(end),
    text,
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
