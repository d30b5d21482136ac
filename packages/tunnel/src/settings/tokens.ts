import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { variable, type Env } from "./find-ssh-program.ts";
import { invalidConfig, type Place } from "./ssh-complaints.ts";

/** What the `%` tokens of ssh_config stand for. */
export type Tokens = Readonly<Record<string, string>>;

export interface LocalUser {
  readonly name: string;
  readonly uid: number;
  /** Home directory. */
  readonly home: string;
}

export interface ConnectionFacts {
  readonly localUser: LocalUser;
  /** The host as it was named. */
  readonly originalHost: string;
  readonly hostName: string;
  readonly hostKeyAlias: string | undefined;
  readonly port: number;
  readonly user: string;
  /** Last host of the jump chain. */
  readonly jumpHost: string | undefined;
  /** `%C`, where ssh told it. */
  readonly connectionHash: string | undefined;
}

/** Tokens of IdentityFile, CertificateFile, IdentityAgent, UserKnownHostsFile and sockets. */
export function tokensOf(facts: ConnectionFacts): Tokens {
  const { localUser, hostName, originalHost, user } = facts;
  const port = String(facts.port);
  const localHost = hostname();
  const jumpHost = facts.jumpHost ?? "";
  const hash = createHash("sha1").update(localHost + hostName + port + user + jumpHost);
  return {
    "%": "%",
    C: facts.connectionHash ?? hash.digest("hex"),
    L: localHost.split(".")[0] ?? localHost,
    d: localUser.home,
    h: hostName,
    i: String(localUser.uid),
    j: jumpHost,
    k: facts.hostKeyAlias ?? originalHost,
    l: localHost,
    n: originalHost,
    p: port,
    r: user,
    u: localUser.name,
  };
}

/**
 * Replaces `%` tokens and, where an environment is given, `${NAME}` by its variable: in one go, so
 * that what a variable holds is not read for tokens again.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG` for an unknown token or a variable that is not set
 */
export function expand(text: string, tokens: Tokens, env?: Env): string {
  return text.replace(
    /%(.?)|\$\{([^}]*)(\}?)/gsu,
    (found: string, token?: string, name?: string) => {
      if (name !== undefined)
        return env === undefined ? found : variableFor(found, name, text, env);
      const value = tokens[token ?? ""];
      if (value === undefined) throw invalidConfig(`"${text}" has the unknown token "${found}"`);
      return value;
    },
  );
}

/**
 * Replaces `${NAME}` alone.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG`
 */
export function expandVariables(text: string, env: Env, place: Place = {}): string {
  return text.replace(/\$\{([^}]*)(\}?)/gu, (found: string, name: string) =>
    variableFor(found, name, text, env, place),
  );
}

function variableFor(found: string, name: string, text: string, env: Env, place?: Place): string {
  if (!found.endsWith("}")) throw invalidConfig(`"${text}" has a "\${" without its "}"`, place);
  const value = variable(env, name, process.platform === "win32");
  if (value === undefined) throw invalidConfig(`"${text}" names ${found}, which is not set`, place);
  return value;
}

/**
 * Replaces a leading `~` or `~user` by a home directory.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG` for a user without one
 */
export function expandHome(path: string, home: string): string {
  const [, user, rest] = /^~([^/\\]*)(.*)$/su.exec(path) ?? [];
  if (user === undefined || rest === undefined) return path;
  if (user === "") return rest === "" ? home : join(home, rest);
  const other = homeOf(user);
  if (other === undefined) throw invalidConfig(`"${path}" names the user ${user}, who is unknown`);
  return join(other, rest);
}

function homeOf(user: string): string | undefined {
  try {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((each) => each.startsWith(`${user}:`));
    return line?.split(":")[5];
  } catch {
    return undefined;
  }
}
