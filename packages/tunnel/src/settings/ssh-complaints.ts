import { TunnelError } from "../errors.ts";

/** `file: line 3: Bad configuration option: foo` and `file line 3: invalid time value.` */
const WITH_LINE = /^(.+?):? line (\d+): (.+)$/u;
const WITH_FILE = /^(Bad owner or permissions on|Can't open user config file) (.+?)(?::|$)/u;
const ABOUT_TARGET = /(?:hostname|username) contains invalid characters/u;
/** What ssh says about every call without a terminal. */
const CHATTER = /^Pseudo-terminal will not be allocated/u;

/** Reads out of what `ssh -G` wrote to stderr what is wrong, and where. */
export function configError(stderr: string, exitCode: number | null): TunnelError {
  const lines = stderr
    .replace(/[^\P{C}\n]/gu, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !CHATTER.test(line));
  const said = lines.join("; ").slice(0, 500);
  if (ABOUT_TARGET.test(said)) {
    return new TunnelError("INVALID_TARGET", `ssh refuses the target: ${said}.`);
  }
  const index = lines.findIndex((line) => WITH_LINE.test(line));
  const [, file, line, fault] = WITH_LINE.exec(lines[index] ?? "") ?? [];
  if (file !== undefined && fault !== undefined) {
    // The reason stands in a line of its own before some of them.
    const reason = index > 0 ? `${lines[index - 1]}: ` : "";
    return invalidConfig(`${reason}${fault}`, { file, line: Number(line) });
  }
  const named = WITH_FILE.exec(lines.find((each) => WITH_FILE.test(each)) ?? "")?.[2];
  const fallback = said === "" ? `ssh ended with ${exitCode ?? "a signal"}` : said;
  return invalidConfig(fallback, named === undefined ? {} : { file: named });
}

/** Where something stands. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
}

/** A fault of ssh_config, with the place where it stands. */
export function invalidConfig(
  fault: string,
  place: Place = {},
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): TunnelError {
  const { file, line } = place;
  const where = file === undefined ? "" : `${file}${line === undefined ? "" : `, line ${line}`}: `;
  return new TunnelError(
    "INVALID_SSH_CONFIG",
    `the ssh configuration is wrong: ${where}${fault.replace(/\.$/u, "")}.`,
    {
      ...options,
      details: {
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { line }),
      },
    },
  );
}
