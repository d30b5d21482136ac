import type { EffectiveConfig } from "./effective-config.ts";
import { parsePrintedForward } from "./configured-forward.ts";
import { isDefaultList } from "./algorithm-lists.ts";
import {
  algorithmKeywords,
  defaultIdentityFiles,
  knownIdentityDefaults,
} from "./openssh-defaults.ts";
import type { ConfiguredForward } from "./ssh-settings.ts";

export type PrintedLines = ReadonlyMap<string, readonly string[]>;

/** Of releases before 8.5. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  pubkeyacceptedkeytypes: "pubkeyacceptedalgorithms",
};

/** What `ssh -G` prints: a keyword and its value on each line. */
export function parsePrintedLines(text: string): PrintedLines {
  const lines = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/u)) {
    const space = line.indexOf(" ");
    if (space === -1) continue;
    const name = line.slice(0, space).toLowerCase();
    const keyword = FORMER_NAMES[name] ?? name;
    const value = line.slice(space + 1);
    const values = lines.get(keyword);
    if (values) values.push(value);
    else lines.set(keyword, [value]);
  }
  return lines;
}

/**
 * Whether it takes a second look, at what ssh prints without any configuration, to tell defaults from
 * what was set: `ssh -G` prints both alike. Not for the releases whose defaults are known.
 */
export function needsBaseline(printed: PrintedLines): boolean {
  const identities = printed.get("identityfile") ?? [];
  // Two or less, or one of another name: nobody's defaults.
  const couldBeDefaults =
    identities.length > 2 && identities.every((file) => /^~\/\.ssh\/id_\w+$/u.test(file));
  if (couldBeDefaults && !isAmong(knownIdentityDefaults, identities)) return true;
  return algorithmKeywords.some((keyword) => {
    const value = printed.get(keyword)?.[0];
    return value !== undefined && !isDefaultList(keyword, value);
  });
}

export interface PrintedConfigOptions {
  /** What ssh prints without any configuration, where {@link needsBaseline} asked for it. */
  readonly baseline: PrintedLines | undefined;
  readonly wantsGssapi: boolean;
}

export function printedConfig(
  printed: PrintedLines,
  { baseline, wantsGssapi }: PrintedConfigOptions,
): EffectiveConfig {
  const values = new Map(printed);
  const identities = printed.get("identityfile") ?? [];
  const isOwn = !isAmong(
    [...knownIdentityDefaults, baseline?.get("identityfile") ?? []],
    identities,
  );
  if (!isOwn) values.delete("identityfile");
  for (const keyword of algorithmKeywords) {
    const value = printed.get(keyword)?.[0] ?? "";
    if (value === baseline?.get(keyword)?.[0] || isDefaultList(keyword, value)) {
      values.delete(keyword);
    }
  }
  for (const keyword of ["userknownhostsfile", "globalknownhostsfile"]) {
    values.set(keyword, splitPaths(printed.get(keyword)?.[0] ?? ""));
  }
  values.delete("controlpath");
  const dynamic = dynamicForwards(printed);
  if (dynamic.length === 0) values.delete("dynamicforward");
  else values.set("dynamicforward", dynamic);
  return {
    source: "ssh -G",
    values,
    localForwards: (printed.get("localforward") ?? [])
      .map(parsePrintedForward)
      .filter((forward): forward is ConfiguredForward => forward !== undefined),
    defaultIdentityFiles: isOwn ? defaultIdentityFiles : identities,
    connectionHash: hashOf(printed),
    wantsGssapi,
    undecidedCriteria: [],
  };
}

/** `ssh -G` prints each forward to a socket as a dynamic forward too. */
function dynamicForwards(printed: PrintedLines): readonly string[] {
  const local = printed.get("localforward") ?? [];
  return (printed.get("dynamicforward") ?? []).filter(
    (listen) => !local.some((forward) => forward.startsWith(`${listen} /`)),
  );
}

/** The asker sets `ControlPath` to `%C`. */
function hashOf(printed: PrintedLines): string | undefined {
  const hash = printed.get("controlpath")?.[0];
  return /^[0-9a-f]{40}$/u.test(hash ?? "") ? hash : undefined;
}

/**
 * Lists of files are printed without quotes. All of them begin at a root or a home, so what does not
 * belongs to the path before it.
 */
function splitPaths(text: string): readonly string[] {
  const paths: string[] = [];
  for (const part of text.split(" ")) {
    const last = paths.at(-1);
    if (last === undefined || /^(?:[/~]|[A-Za-z]:|__PROGRAMDATA__)/u.test(part)) paths.push(part);
    else paths[paths.length - 1] = `${last} ${part}`;
  }
  return paths;
}

function isAmong(lists: readonly (readonly string[])[], list: readonly string[]): boolean {
  return lists.some((each) => each.join("\n") === list.join("\n"));
}
