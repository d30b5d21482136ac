/** Whether a text fits a pattern of ssh_config: `*` is any run of characters, `?` is one. */
export function matchesPattern(text: string, pattern: string): boolean {
  // Walks back to the last star only, so that no pattern takes more than text × pattern steps.
  let at = 0;
  let next = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (pattern[next] === "*") {
      star = next;
      resume = at;
      next += 1;
    } else if (pattern[next] === "?" || pattern[next] === text[at]) {
      at += 1;
      next += 1;
    } else if (star !== -1) {
      resume += 1;
      at = resume;
      next = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[next] === "*") next += 1;
  return next === pattern.length;
}

/** The patterns of a `Host` line: one has to fit, and none that begins with `!`. */
export function matchesHostLine(host: string, patterns: readonly string[]): boolean {
  return decide(patterns, (pattern) => matchesPattern(host, pattern));
}

/** A list with commas, as `Match` takes it; a negated entry alone never matches. */
export function matchesPatternList(text: string, list: string): boolean {
  return decide(list.split(","), (pattern) => matchesPattern(text, pattern));
}

function decide(patterns: readonly string[], fits: (pattern: string) => boolean): boolean {
  const isExcluded = patterns.some((each) => each.startsWith("!") && fits(each.slice(1)));
  return !isExcluded && patterns.some((each) => !each.startsWith("!") && fits(each));
}
