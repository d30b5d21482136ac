import { safeText } from "@openclaw/app-kit";
import { CliError } from "../errors.ts";

const MIN_PREFIX_CHARS = 6;

/**
 * The entry whose id was given in full or by its first 6 characters or more; `nameOf` is what
 * messages call one.
 *
 * @throws {CliError} `cli_error` when none or several match
 */
export function matchId<T>(
  what: string,
  given: string,
  entries: readonly T[],
  idOf: (entry: T) => string,
  nameOf: (entry: T) => string = (entry) => safeText(idOf(entry)),
): T {
  const exact = entries.find((entry) => idOf(entry) === given);
  if (exact !== undefined) return exact;
  const matches =
    given.length < MIN_PREFIX_CHARS ? [] : entries.filter((entry) => idOf(entry).startsWith(given));
  const [found, another] = matches;
  if (found !== undefined && another === undefined) return found;
  const ids = (found === undefined ? entries : matches).map((entry) => nameOf(entry));
  const message =
    found === undefined
      ? `unknown ${what}: ${safeText(given)} (known: ${ids.length === 0 ? "none" : ids.join(", ")})`
      : `ambiguous ${what}: ${safeText(given)} (matches: ${ids.join(", ")})`;
  throw new CliError("cli_error", message, { fields: { kind: "not_found" } });
}
