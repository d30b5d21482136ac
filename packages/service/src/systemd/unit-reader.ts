import { ServiceError } from "../errors.ts";
import type { ParsedService } from "../definition/parsed-service.ts";
import { splitWords, unescapeSpecifiers } from "./quoting.ts";

/**
 * Reads a unit file, whoever wrote it. Specifiers other than `%%` and variables stay as they are:
 * what they stand for is known to systemd alone.
 *
 * @throws {@link ServiceError} `UNREADABLE_DEFINITION` when it is no unit file
 */
export function parseSystemdUnit(text: string): ParsedService {
  const unit = readSections(text);
  const service = (key: string): readonly string[] => unit.get("Service")?.get(key) ?? [];
  const last = (key: string): string | undefined => lastOf(service(key));
  const [command = [], ...further] = commands(service("ExecStart"));
  const hooks = ["ExecStartPre", "ExecStartPost", "ExecStopPost"].flatMap((key) =>
    commands(service(key)),
  );
  const type = last("Type");
  const seconds = last("RestartSec");
  return {
    supervisor: "systemd",
    description: mapDefined(lastOf(unit.get("Unit")?.get("Description") ?? []), unescapeSpecifiers),
    programArguments: command,
    otherCommands: [...further, ...hooks],
    workingDirectory: mapDefined(last("WorkingDirectory"), (path) =>
      unescapeSpecifiers(path.replace(/^-/u, "")),
    ),
    environment: assignments(service("Environment")),
    environmentFiles: withResets(service("EnvironmentFile")).map((path) =>
      unescapeSpecifiers(path.replace(/^-/u, "").replaceAll(/\\(.)/gsu, "$1")),
    ),
    restart: restartOf(last("Restart")),
    restartSeconds: mapDefined(seconds, secondsOf),
    runsAtLogin: (unit.get("Install")?.get("WantedBy") ?? []).some((value) => value !== ""),
    // What systemd takes for granted when the file does not say it.
    type: type ?? "simple",
    after: names(unit.get("Unit")?.get("After")),
    wants: names(unit.get("Unit")?.get("Wants")),
  };
}

type Sections = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

function readSections(text: string): Sections {
  const sections = new Map<string, Map<string, string[]>>();
  let current: Map<string, string[]> | undefined;
  for (const line of logicalLines(text)) {
    const header = /^\[([^\]]+)\]\s*$/u.exec(line)?.[1];
    if (header !== undefined) {
      current = sections.get(header) ?? new Map<string, string[]>();
      sections.set(header, current);
      continue;
    }
    const [, key, value] = /^([^=]+?)\s*=\s*(.*)$/su.exec(line) ?? [];
    if (key === undefined || value === undefined || current === undefined) {
      throw unreadable(
        `the line ${JSON.stringify(line.slice(0, 60))} is neither section nor setting`,
      );
    }
    current.set(key, [...(current.get(key) ?? []), value.trimEnd()]);
  }
  if (sections.size === 0) throw unreadable("it has no section");
  return sections;
}

/** Lines without comments and empty ones, continuations joined by a space. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const raw of text.split(/\r?\n/u)) {
    const line = raw.trimStart();
    // Comments may stand between the parts of a continued line.
    if (/^[#;]/u.test(line)) continue;
    const joined = open === undefined ? line.trimEnd() : `${open} ${line.trimEnd()}`;
    const isContinued = /(?<!\\)(?:\\\\)*\\$/u.test(joined) && line !== "";
    open = isContinued ? joined.slice(0, -1) : undefined;
    if (!isContinued && joined !== "") lines.push(joined);
  }
  if (open !== undefined) lines.push(open);
  return lines;
}

function commands(values: readonly string[]): string[][] {
  return withResets(values).flatMap((value) => {
    // What systemd would refuse is still worth a look, such as an alias in the wrong quotes.
    const words = splitWords(value) ?? value.split(/\s+/u).map((raw) => ({ text: raw, raw }));
    const lines: string[][] = [[]];
    for (const { text, raw } of words) {
      if (raw === ";") lines.push([]);
      else lines.at(-1)?.push(text);
    }
    return lines.filter((line) => line.length > 0).map((line) => plainCommand(line));
  });
}

/** Without the marks before the program, and with `%%` and `$$` read as systemd reads them. */
function plainCommand([program = "", ...args]: readonly string[]): string[] {
  return [
    unescapeSpecifiers(program.replace(/^[@:+!|-]+/u, "")),
    ...args.map((word) => unescapeSpecifiers(word).replaceAll("$$", "$")),
  ];
}

function assignments(values: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const value of withResets(values)) {
    for (const { text } of splitWords(value) ?? []) {
      const [, name, content] = /^([^=]+)=(.*)$/su.exec(unescapeSpecifiers(text)) ?? [];
      if (name !== undefined && content !== undefined) environment[name] = content;
    }
  }
  return environment;
}

/** An empty value takes back those before it. */
function withResets(values: readonly string[]): readonly string[] {
  return values.slice(values.lastIndexOf("") + 1);
}

function restartOf(value: string | undefined): ParsedService["restart"] {
  if (value === undefined || value === "no" || value === "") return "never";
  return value === "always" ? "always" : "on-failure";
}

function names(values: readonly string[] | undefined): string[] {
  return withResets(values ?? []).flatMap((value) => value.split(/\s+/u));
}

/** Plain numbers, and the units that such files use; anything else is not told. */
function secondsOf(value: string): number | undefined {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)\s*(ms|s|sec|min|m)?$/u.exec(value) ?? [];
  if (number === undefined) return undefined;
  const factor = unit === "ms" ? 0.001 : unit.startsWith("m") ? 60 : 1;
  return Number(number) * factor;
}

function lastOf(values: readonly string[]): string | undefined {
  const value = values.at(-1);
  return value === "" ? undefined : value;
}

function mapDefined<T, R>(value: T | undefined, map: (value: T) => R): R | undefined {
  return value === undefined ? undefined : map(value);
}

function unreadable(fault: string): ServiceError {
  return new ServiceError("UNREADABLE_DEFINITION", `this is no systemd unit: ${fault}.`);
}
