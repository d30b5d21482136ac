import { matchesPattern } from "./patterns.ts";
import {
  defaultAlgorithms,
  supportedAlgorithms,
  type AlgorithmKeyword,
} from "./openssh-defaults.ts";

/**
 * A list as ssh_config has it: `a,b` replaces the default, `+a` appends to it, `-a*` removes from it,
 * `^a` puts in front. Names may be patterns, which stand for what OpenSSH supports; a plain name is
 * taken as it is, since the far side and the engine decide what they know.
 */
export function resolveAlgorithms(keyword: AlgorithmKeyword, text: string): readonly string[] {
  const defaults = defaultAlgorithms[keyword][0] ?? [];
  const [modifier, list] = /^[+\-^]/u.test(text) ? [text[0], text.slice(1)] : ["", text];
  const names = list.split(",").filter((name) => name !== "");
  if (modifier === "-") {
    return defaults.filter((name) => !names.some((pattern) => matchesPattern(name, pattern)));
  }
  const wanted =
    modifier === "+" ? [...defaults, ...names] : modifier === "^" ? [...names, ...defaults] : names;
  return [...new Set(wanted.flatMap((name) => expandPattern(keyword, name)))];
}

/** Whether a list is what OpenSSH offers unasked. */
export function isDefaultList(keyword: AlgorithmKeyword, text: string): boolean {
  return defaultAlgorithms[keyword].some((names) => names.join(",") === text);
}

function expandPattern(keyword: AlgorithmKeyword, name: string): readonly string[] {
  if (!/[*?]/u.test(name)) return [name];
  return supportedAlgorithms[keyword].filter((supported) => matchesPattern(supported, name));
}
