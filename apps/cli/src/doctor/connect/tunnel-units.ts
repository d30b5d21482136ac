import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  auditTunnelService,
  parseLaunchdPlist,
  type ParsedService,
  parseSystemdUnit,
  type TunnelFinding,
} from "@openclaw/service";

/** A definition on this machine that is to keep a tunnel up, and cannot. */
export interface BrokenTunnelUnit {
  readonly path: string;
  /** Label of the agent, or name of the unit. */
  readonly label: string;
  readonly finding: TunnelFinding;
}

interface Place {
  readonly folder: readonly string[];
  readonly extension: string;
  readonly parse: (text: string) => ParsedService;
}

/** Where people put them; a folder of the other system is not there. */
const PLACES: readonly Place[] = [
  { folder: ["Library", "LaunchAgents"], extension: ".plist", parse: parseLaunchdPlist },
  { folder: [".config", "systemd", "user"], extension: ".service", parse: parseSystemdUnit },
];

/**
 * Finds services that run ssh so that it can never work, and that may be meant for a port: whoever
 * names local ports names this one, or leaves them to the ssh config. Reads files, asks nobody.
 */
export async function findBrokenTunnelUnits(
  home: string,
  port: number,
): Promise<BrokenTunnelUnit[]> {
  const found = await Promise.all(PLACES.map((place) => findIn(home, place, port)));
  return found.flat();
}

async function findIn(
  home: string,
  { folder, extension, parse }: Place,
  port: number,
): Promise<BrokenTunnelUnit[]> {
  const directory = join(home, ...folder);
  const names: string[] = await readdir(directory).catch(() => []);
  const files = names.filter((name) => name.endsWith(extension)).toSorted();
  const found = await Promise.all(
    files.map(async (name) => {
      const path = join(directory, name);
      const text = await readFile(path, "utf8").catch(() => "");
      const service = parsed(text, parse);
      if (service === undefined || !mayBeFor(service, port)) return [];
      const finding = auditTunnelService(service).find(({ level }) => level === "broken");
      const label = service.label ?? name.slice(0, -extension.length);
      return finding === undefined ? [] : [{ path, label, finding }];
    }),
  );
  return found.flat();
}

function parsed(text: string, parse: (text: string) => ParsedService): ParsedService | undefined {
  if (!text.includes("ssh")) return undefined;
  try {
    return parse(text);
  } catch {
    // Somebody else's, in a form that is not ours to judge.
    return undefined;
  }
}

function mayBeFor({ programArguments }: ParsedService, port: number): boolean {
  const line = programArguments.join(" ");
  const named = [...line.matchAll(/-L\s*(?:[^\s:]*:)?(\d+):[^\s:]+:\d+/gu)].map(([, own]) => own);
  return named.length === 0 || named.includes(String(port));
}
