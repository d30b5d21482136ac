import type { ParsedService } from "../definition/parsed-service.ts";
import { ServiceError } from "../errors.ts";
import { type PlistValue, readXmlPlist } from "./xml-plist.ts";

/**
 * Reads the property list of a launch agent or daemon, whoever wrote it. A binary one is first
 * turned into XML: `plutil -convert xml1 -o - <file>`.
 *
 * @throws {@link ServiceError} `UNREADABLE_DEFINITION`
 */
export function parseLaunchdPlist(text: string): ParsedService {
  const root = readXmlPlist(text);
  if (!isDict(root)) {
    throw new ServiceError("UNREADABLE_DEFINITION", "this property list is no launch agent.");
  }
  const value = (key: string): PlistValue | undefined =>
    Object.hasOwn(root, key) ? root[key] : undefined;
  const program = asText(value("Program"));
  const args = asTexts(value("ProgramArguments"));
  return {
    supervisor: "launchd",
    label: asText(value("Label")),
    description: asText(value("Comment")),
    // Program is what is run where both are there; the first argument is then only its name.
    programArguments: program === undefined ? args : [program, ...args.slice(1)],
    otherCommands: [],
    workingDirectory: asText(value("WorkingDirectory")),
    environment: asEnvironment(value("EnvironmentVariables")),
    environmentFiles: [],
    restart: restartOf(value("KeepAlive")),
    runsAtLogin: value("RunAtLoad") === true || value("KeepAlive") === true,
  };
}

/** Whether a file holds a binary property list. */
export function isBinaryPlist(start: Uint8Array): boolean {
  return Buffer.from(start.subarray(0, 6)).toString("latin1") === "bplist";
}

function restartOf(keepAlive: PlistValue | undefined): ParsedService["restart"] {
  if (keepAlive === true) return "always";
  if (!isDict(keepAlive)) return "never";
  if (keepAlive["SuccessfulExit"] === false || keepAlive["Crashed"] === true) return "on-failure";
  return Object.keys(keepAlive).length === 0 ? "never" : "always";
}

function asText(value: PlistValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function asTexts(value: PlistValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function asEnvironment(value: PlistValue | undefined): Record<string, string> {
  if (!isDict(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

function isDict(value: PlistValue | undefined): value is { readonly [key: string]: PlistValue } {
  return typeof value === "object" && !Array.isArray(value);
}
