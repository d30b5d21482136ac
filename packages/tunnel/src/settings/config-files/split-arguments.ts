/**
 * Splits what follows a keyword as OpenSSH does: at white space; single and double quotes hold a word
 * together, also from its middle on; a backslash takes a quote, a backslash or (outside of quotes) a
 * space as it is; a `#` at the start of a word begins a comment. undefined when a quote stays open.
 */
export function splitArguments(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    const isGap = quote === "" && (char === " " || char === "\t");
    if (isGap) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "#" && word === undefined) {
      break;
    } else if (char === "\\" && (/['"\\]/u.test(next) || (quote === "" && next === " "))) {
      word = (word ?? "") + next;
      at += 1;
    } else if (quote === "" ? char === '"' || char === "'" : char === quote) {
      quote = quote === "" ? char : "";
      word ??= "";
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}

/**
 * Splits what follows `Match`: at white space, with at most one `=` between two words, where only
 * double quotes around a whole word hold it together.
 */
export function splitCriteria(text: string): readonly string[] {
  return Array.from(text.matchAll(/"([^"]*)"|[^\s=]+/gu), ([word, quoted]) => quoted ?? word);
}
