import { matchesPatternList } from "../patterns.ts";

/** What is known about the connection when a `Match` line is read. */
export interface MatchFacts {
  readonly originalHost: string;
  /** After HostName, as far as it is set. */
  readonly host: string;
  readonly user: string;
  readonly localUser: string;
  /** Whether the files are read for the second time, which `final` asks for. */
  readonly isFinalPass: boolean;
}

export type MatchOutcome =
  | { readonly kind: "decided"; readonly isMatch: boolean; readonly wantsFinalPass: boolean }
  /** All else fits, and one criterion is beyond us: the block must not apply unseen. */
  | { readonly kind: "undecided"; readonly criterion: string; readonly wantsFinalPass: boolean }
  | { readonly kind: "malformed"; readonly fault: string };

const UNDECIDABLE = new Set([
  "exec",
  "localnetwork",
  "tagged",
  "version",
  "sessiontype",
  "command",
]);

/** Evaluates the words after `Match`. All criteria have to fit. */
export function evaluateMatch(words: readonly string[], facts: MatchFacts): MatchOutcome {
  let isMatch = true;
  let wantsFinalPass = false;
  let beyondUs: string | undefined;
  let count = 0;
  for (let at = 0; at < words.length; at += 1) {
    const written = words[at] ?? "";
    if (written.startsWith("#")) break;
    const isNegated = written.startsWith("!");
    const criterion = written.slice(isNegated ? 1 : 0).toLowerCase();
    if (criterion === "all") {
      const next = words[at + 1];
      if (count > 1 || (next !== undefined && !next.startsWith("#"))) {
        return malformed("'all' cannot be combined with other Match attributes");
      }
      return outcome(isMatch && !isNegated, undefined);
    }
    count += 1;
    if (criterion === "canonical" || criterion === "final") {
      wantsFinalPass ||= criterion === "final";
      isMatch &&= facts.isFinalPass !== isNegated;
      continue;
    }
    at += 1;
    const list = words[at];
    if (list === undefined || list === "" || list.startsWith("#")) {
      return malformed(`Missing Match criteria for ${criterion}`);
    }
    const fits = fitsCriterion(criterion, list, facts);
    if (fits !== undefined) isMatch &&= fits !== isNegated;
    else if (UNDECIDABLE.has(criterion)) beyondUs ??= isMatch ? criterion : undefined;
    else return malformed(`Unsupported Match attribute ${criterion}`);
  }
  if (count === 0) return malformed("One or more attributes required for Match");
  return outcome(isMatch, beyondUs);

  function outcome(fits: boolean, criterion: string | undefined): MatchOutcome {
    return fits && criterion !== undefined
      ? { kind: "undecided", criterion, wantsFinalPass }
      : { kind: "decided", isMatch: fits, wantsFinalPass };
  }
}

function fitsCriterion(criterion: string, list: string, facts: MatchFacts): boolean | undefined {
  switch (criterion) {
    // Names of hosts are the same in any case, those of users are not.
    case "host":
      return matchesPatternList(facts.host.toLowerCase(), list.toLowerCase());
    case "originalhost":
      return matchesPatternList(facts.originalHost.toLowerCase(), list.toLowerCase());
    case "user":
      return matchesPatternList(facts.user, list);
    case "localuser":
      return matchesPatternList(facts.localUser, list);
    default:
      return undefined;
  }
}

function malformed(fault: string): MatchOutcome {
  return { kind: "malformed", fault };
}
