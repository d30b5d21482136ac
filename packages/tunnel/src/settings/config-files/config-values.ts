import type { EffectiveConfig } from "../effective-config.ts";
import type { Env } from "../find-ssh-program.ts";
import { parseForwardArguments } from "../configured-forward.ts";
import { parseJumpHosts } from "../jump-hosts.ts";
import { matchesPatternList } from "../patterns.ts";
import { invalidConfig } from "../ssh-complaints.ts";
import type { ConfiguredForward } from "../ssh-settings.ts";
import { expandVariables } from "../tokens.ts";
import { defaultIdentityFiles } from "../openssh-defaults.ts";
import type { ConfigLine } from "./config-lines.ts";
import { findKeyword, type KeywordKind } from "./keywords.ts";
import { isFlag, readCount, readPort, readSeconds } from "./read-value.ts";

/** The values that were set so far. */
export interface ConfigValues {
  /** The first value of a keyword that takes one. */
  get(keyword: string): string | undefined;
  /** Sets a keyword, unless it is set already. */
  setFirst(keyword: string, ...values: readonly string[]): void;
  /**
   * Checks a line that is no block and no Include and, where its block applies, takes it over.
   *
   * @throws {@link TunnelError} `INVALID_SSH_CONFIG`, also for a block that does not apply
   */
  take(line: ConfigLine, where: { readonly isActive: boolean; readonly isUsers: boolean }): void;
  finish(undecidedCriteria: readonly string[]): EffectiveConfig;
}

export function createConfigValues(env: Env): ConfigValues {
  const values = new Map<string, readonly string[]>();
  const localForwards: ConfiguredForward[] = [];
  let isUsersGssapi = false;

  const get = (keyword: string): string | undefined => values.get(keyword)?.[0];

  function setFirst(keyword: string, ...list: readonly string[]): void {
    if (list.length > 0 && !values.has(keyword)) values.set(keyword, list);
  }

  function add(keyword: string, value: string): void {
    const former = values.get(keyword) ?? [];
    if (!former.includes(value)) values.set(keyword, [...former, value]);
  }

  function apply(keyword: string, kind: KeywordKind, read: Reading, isUsers: boolean): void {
    if (read.forward !== undefined) {
      const text = JSON.stringify(read.forward);
      if (!localForwards.some((each) => JSON.stringify(each) === text)) {
        localForwards.push(read.forward);
      }
    } else if (kind === "repeated" || kind === "listed") {
      for (const value of read.values) add(keyword, value);
    } else if (kind === "jump") {
      // Of ProxyJump and ProxyCommand the first one wins.
      if (!values.has("proxycommand")) setFirst(keyword, ...read.values);
    } else if (keyword === "proxycommand") {
      const jump = get("proxyjump");
      if (jump === undefined || jump.toLowerCase() === "none") setFirst(keyword, ...read.values);
    } else {
      if (keyword === "gssapiauthentication" && !values.has(keyword)) isUsersGssapi = isUsers;
      setFirst(keyword, ...read.values);
    }
  }

  return {
    get,
    setFirst,
    take(line, { isActive, isUsers }) {
      const known = findKeyword(line.keyword);
      if (known === undefined) {
        const ignored = get("ignoreunknown")?.toLowerCase();
        if (ignored !== undefined && matchesPatternList(line.keyword, ignored)) return;
        throw invalidConfig(`Bad configuration option: ${line.name}`, line);
      }
      if (known.kind === "obsolete") return;
      const read = readArguments(line, known.kind, env);
      if (typeof read === "string") throw invalidConfig(read, line);
      if (isActive) apply(known.keyword, known.kind, read, isUsers);
    },
    finish(undecidedCriteria) {
      const isCleared = /^(?:yes|true)$/iu.test(get("clearallforwardings") ?? "");
      const forwards = ["remoteforward", "dynamicforward", "tunnel"];
      if (isCleared) for (const name of forwards) values.delete(name);
      return {
        source: "ssh-config",
        values,
        localForwards: isCleared ? [] : localForwards,
        defaultIdentityFiles,
        connectionHash: undefined,
        wantsGssapi: isUsersGssapi,
        undecidedCriteria,
      };
    },
  };
}

interface Reading {
  readonly values: readonly string[];
  readonly forward?: ConfiguredForward;
}

/** What a line sets, or what is wrong with it. */
function readArguments(line: ConfigLine, kind: KeywordKind, env: Env): Reading | string {
  const { words, rest, name } = line;
  const [first] = words;
  if (kind === "command") return { values: [rest] };
  if (kind === "jump") {
    const value = rest.replace(/#.*$/su, "").trimEnd();
    if (value.toLowerCase() !== "none") parseJumpHosts(value, line);
    return { values: [value] };
  }
  if (first === undefined || words.includes("")) return "Missing argument.";
  if (kind === "any") return { values: [words.join(" ")] };
  if (kind === "listed") {
    return { values: line.keyword === "sendenv" ? words : [words.join(" ")] };
  }
  if (kind === "files") {
    const hasNone = words.some((word) => word.toLowerCase() === "none");
    return hasNone && words.length > 1
      ? `keyword ${name} "none" argument must appear alone.`
      : { values: words };
  }
  const limit = kind === "forward" ? 2 : 1;
  if (words.length > limit) return `keyword ${name} extra arguments at end of line`;
  if (kind === "forward") return readForward(line, env);
  return readOne(first, kind, line, env);
}

function readForward({ words, ...line }: ConfigLine, env: Env): Reading | string {
  const [listen = "", connect] = words;
  if (connect === undefined) return "Missing target argument.";
  const place = { file: line.file, line: line.line };
  const forward = parseForwardArguments(
    expandVariables(listen, env, place),
    expandVariables(connect, env, place),
    readPort,
  );
  return forward === undefined ? "Bad forwarding specification." : { values: [], forward };
}

function readOne(text: string, kind: KeywordKind, line: ConfigLine, env: Env): Reading | string {
  switch (kind) {
    case "flag":
      return isFlag(text) ? { values: [text] } : `unsupported option "${text}".`;
    case "strictness":
      return isFlag(text) || /^(?:ask|off|accept-new)$/iu.test(text)
        ? { values: [text] }
        : `unsupported option "${text}".`;
    case "family":
      return /^(?:any|inet|inet6)$/iu.test(text)
        ? { values: [text] }
        : `unsupported option "${text}".`;
    case "count":
      return numbered(readCount(text), `integer value "${text}" is invalid.`);
    case "seconds":
      // Unlike elsewhere, `none` leaves the matter to the lines that follow.
      return text === "none" ? { values: [] } : numbered(readSeconds(text), "invalid time value.");
    case "port":
      return numbered(readPort(text), `Bad port '${text}'.`);
    case "agent":
      expandVariables(text, env, line);
      return { values: [text] };
    default:
      return { values: [text] };
  }
}

function numbered(value: number | undefined, fault: string): Reading | string {
  return value === undefined ? fault : { values: [String(value)] };
}
