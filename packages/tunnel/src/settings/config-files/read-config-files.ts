import { readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import process from "node:process";
import { TunnelError } from "../../errors.ts";
import type { SshTarget } from "../../target.ts";
import { canonicalHost } from "../canonical-host.ts";
import type { EffectiveConfig } from "../effective-config.ts";
import { variable, type Env } from "../find-ssh-program.ts";
import { matchesHostLine } from "../patterns.ts";
import { invalidConfig } from "../ssh-complaints.ts";
import { expand, expandHome, type LocalUser } from "../tokens.ts";
import { configLines, type ConfigLine } from "./config-lines.ts";
import { createConfigValues } from "./config-values.ts";
import { filesMatching } from "./include-files.ts";
import { evaluateMatch } from "./match-criteria.ts";
import { splitCriteria } from "./split-arguments.ts";

export interface ReadConfigOptions {
  readonly target: SshTarget;
  /** Stands for the ProxyJump of the files, as `ssh -J` does. */
  readonly through: string | undefined;
  /** Instead of the user's and the system's file; `false` reads none. */
  readonly file: string | false | undefined;
  readonly localUser: LocalUser;
  readonly env: Env;
  readonly signal: AbortSignal | undefined;
  /** Where the system's file is. @default /etc/ssh, on Windows %ProgramData%\ssh */
  readonly systemDirectory?: string | undefined;
}

/** As deep as ssh follows Include. */
const MAX_DEPTH = 16;

interface FileKind {
  /** The user's own, or included by it: `~` counts, and relative paths are those of ~/.ssh. */
  readonly isUsers: boolean;
  /** Refuses a file that others could have written. */
  readonly checksPermissions: boolean;
  readonly depth: number;
}

/** Whether lines apply; within an Include of a block that does not apply, no line ever does. */
interface Block {
  readonly isActive: boolean;
  readonly isNever: boolean;
}

/**
 * Evaluates ssh_config without ssh: the user's file, then the system's. The first value of a keyword
 * wins, and `Match final` has the files read once more, with the name that HostName has given.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG` with file and line, `CLOSED`
 */
export async function readConfigFiles(options: ReadConfigOptions): Promise<EffectiveConfig> {
  const { target, localUser, env, signal } = options;
  // Loaded only where there is no ssh program.
  const { parse } = await import("ssh-config");
  const values = createConfigValues(env);
  const undecided = new Set<string>();
  const systemDirectory = options.systemDirectory ?? defaultSystemDirectory(env);
  let wantsFinalPass = false;
  let isFinalPass = false;
  let host = target.host;

  if (target.port !== undefined) values.setFirst("port", String(target.port));
  if (target.user !== undefined) values.setFirst("user", target.user);
  if (options.through !== undefined) values.setFirst("proxyjump", options.through);

  async function readAll(): Promise<void> {
    if (options.file === false) return;
    const block = { isActive: true, isNever: false };
    if (options.file !== undefined) {
      const kind = { isUsers: true, checksPermissions: false, depth: 0 };
      if (!(await readOne(options.file, kind, block))) {
        throw invalidConfig("the file cannot be read", { file: options.file });
      }
      return;
    }
    const own = join(localUser.home, ".ssh", "config");
    await readOne(own, { isUsers: true, checksPermissions: true, depth: 0 }, block);
    const system = join(systemDirectory, "ssh_config");
    await readOne(system, { isUsers: false, checksPermissions: false, depth: 0 }, block);
  }

  /** false when there is no such file. */
  async function readOne(file: string, kind: FileKind, initial: Block): Promise<boolean> {
    if (signal?.aborted) {
      throw new TunnelError("CLOSED", "reading the ssh configuration was given up.", {
        cause: signal.reason,
      });
    }
    if (kind.depth > MAX_DEPTH) {
      throw invalidConfig("Too many recursive configuration includes", { file });
    }
    const text = await readText(file, kind, localUser);
    if (text === undefined) return false;
    let { isActive } = initial;
    for (const line of configLines(parse, file, text)) {
      if (line.keyword === "host") {
        isActive = appliesToHost(line) && !initial.isNever;
      } else if (line.keyword === "match") {
        isActive = appliesToMatch(line, initial.isNever) && !initial.isNever;
      } else if (line.keyword === "include") {
        await include(line, kind, { isActive, isNever: !isActive });
      } else {
        values.take(line, { isActive, isUsers: kind.isUsers });
      }
    }
    return true;
  }

  function appliesToHost(line: ConfigLine): boolean {
    if (line.words.includes("")) throw invalidConfig("keyword host empty argument", line);
    return matchesHostLine(host, line.words);
  }

  function appliesToMatch(line: ConfigLine, isNever: boolean): boolean {
    const outcome = evaluateMatch(splitCriteria(line.rest), {
      originalHost: target.host,
      host: isFinalPass ? host : hostNameSoFar(),
      user: values.get("user") ?? localUser.name,
      localUser: localUser.name,
      isFinalPass,
    });
    if (outcome.kind === "malformed") {
      throw invalidConfig(`${outcome.fault}: Bad Match condition`, line);
    }
    wantsFinalPass ||= outcome.wantsFinalPass;
    if (outcome.kind === "decided") return outcome.isMatch;
    if (!isNever) undecided.add(outcome.criterion);
    return false;
  }

  async function include(line: ConfigLine, kind: FileKind, block: Block): Promise<void> {
    for (const word of line.words) {
      if (word === "") throw invalidConfig("keyword include empty argument", line);
      if (word.startsWith("~") && !kind.isUsers) {
        throw invalidConfig(`bad include path ${word}`, line);
      }
      const directory = kind.isUsers ? join(localUser.home, ".ssh") : systemDirectory;
      const path = expandHome(word, localUser.home);
      for (const file of await filesMatching(isAbsolute(path) ? path : join(directory, path))) {
        await readOne(
          file,
          { isUsers: kind.isUsers, checksPermissions: true, depth: kind.depth + 1 },
          block,
        );
      }
    }
  }

  function hostNameSoFar(): string {
    const name = values.get("hostname");
    return name === undefined ? target.host : expand(name, { "%": "%", h: target.host });
  }

  await readAll();
  host = canonicalHost(hostNameSoFar());
  if (wantsFinalPass) {
    isFinalPass = true;
    await readAll();
  }
  return withHostName(values.finish([...undecided]), host);
}

function withHostName(config: EffectiveConfig, hostName: string): EffectiveConfig {
  return { ...config, values: new Map(config.values).set("hostname", [hostName]) };
}

/** undefined when there is no such file, or none that may be read. */
async function readText(
  file: string,
  { checksPermissions, depth }: FileKind,
  localUser: LocalUser,
): Promise<string | undefined> {
  try {
    if (checksPermissions && process.platform !== "win32") {
      const { uid, mode } = await stat(file);
      if ((uid !== 0 && uid !== localUser.uid) || (mode & 0o022) !== 0) {
        throw invalidConfig("Bad owner or permissions", { file });
      }
    }
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof TunnelError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EISDIR") return "";
    // ssh passes over its two own files when it may not read them, and over no included one.
    if (code === "ENOENT" || code === "ENOTDIR" || depth === 0) return undefined;
    throw invalidConfig(`the included file cannot be read (${code ?? String(error)})`, { file });
  }
}

function defaultSystemDirectory(env: Env): string {
  if (process.platform !== "win32") return "/etc/ssh";
  return join(variable(env, "ProgramData", true) ?? "C:\\ProgramData", "ssh");
}
