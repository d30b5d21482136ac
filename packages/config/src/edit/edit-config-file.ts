import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "../config-error.ts";
import type { JsonObject } from "../json.ts";
import { changeConfigFile, type ChangeOptions, type ChangedConfig } from "./change-config-file.ts";
import type { ConfigEdit } from "./edit-text.ts";

/**
 * Changes single keys of a config file and leaves the rest of its text as it is: comments, order,
 * keys of others. A file that is missing is made, with mode 0600 as after every change.
 *
 * The result is checked against the schema before it replaces the file, whole or not at all; the
 * former text stays beside it as `.bak`, the four before that as `.bak.1` to `.bak.4`, and the new one
 * as `.last-good`. Only one process works on the file at a time, and whoever writes to it without
 * asking is noticed. Values are written as they are given: `${NAME}` is a reference, `$${NAME}` the text.
 *
 * @param edits the changes, or what makes them of the config that is there.
 * @throws {@link ConfigError} `CONFIG_UNREADABLE` for a file that is no JSON5 object, which stays as
 * it is; `CONFIG_INVALID` with `issues`; `INVALID_EDIT`, `CONFIG_LOCKED`, `CONFIG_CHANGED`,
 * `CONFIG_INCLUDED`, `CONFIG_READONLY`, `CONFIG_NOT_WRITTEN`
 */
export async function editConfigFile(
  path: string,
  edits: readonly ConfigEdit[] | ((config: JsonObject) => readonly ConfigEdit[]),
  options: ChangeOptions = {},
): Promise<ChangedConfig> {
  // What edits is loaded here, so that whoever only reads does not pay for it.
  const { editText, editValue, keysOf, toPlain } = await import("./edit-text.ts");
  return changeConfigFile(path, options, ({ text, config, file, parse }) => {
    const list = typeof edits === "function" ? edits(config) : edits;
    const edited = editText(text, list, parse);
    const wanted = list.reduce<unknown>(editValue, config);
    return {
      text: edited,
      paths: list.map(keysOf),
      assertResult(after) {
        if (isDeepStrictEqual(toPlain(after), toPlain(wanted))) return;
        throw new ConfigError("CONFIG_NOT_WRITTEN", `cannot edit ${file} without changing more.`, {
          hint: "Change the keys by hand.",
        });
      },
    };
  });
}

/**
 * Puts another text in the place of a config file, with the same care as {@link editConfigFile}.
 *
 * Where `baseText` is given and the file has changed since, what the new text changes of it is merged
 * into the file, if nothing of that was changed there as well.
 *
 * @throws {@link ConfigError} as {@link editConfigFile} does; `CONFIG_UNREADABLE` also for a new text
 * that is no JSON5 object
 */
export async function replaceConfigText(
  path: string,
  newText: string,
  options: ChangeOptions = {},
): Promise<ChangedConfig> {
  const [{ editText }, { diffConfigs }, { parseConfigObject }] = await Promise.all([
    import("./edit-text.ts"),
    import("./config-diff.ts"),
    import("./change-config-file.ts"),
  ]);
  const wanted = await parseConfigObject("the new config", newText);
  const { baseText } = options;
  const base = baseText === undefined ? undefined : await parseConfigObject("the base", baseText);
  return changeConfigFile(path, options, ({ text, config, file, isFirst, parse }) => {
    const isMerge = base !== undefined && !isFirst && text !== baseText;
    const changes = diffConfigs(isMerge ? base : config, wanted);
    const edits = changes.map(({ path: keys, after }) => ({ path: keys, value: after }));
    return {
      text: isMerge ? merged(file, () => editText(text, edits, parse)) : newText,
      paths: changes.map(({ path: keys }) => keys),
    };
  });
}

/** An edit that has no place any more where it was meant to be: somebody made that into something else. */
function merged(file: string, edit: () => string): string {
  try {
    return edit();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError("CONFIG_CHANGED", `${file} was changed meanwhile: ${cause.message}`, {
      hint: "Nothing was written. Look at the file, and try again.",
      cause,
    });
  }
}
