import { readFile, stat } from "node:fs/promises";
import { TunnelError } from "../errors.ts";
import type { SshSettings } from "../settings/ssh-settings.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { parseKnownHostsLine } from "./known-hosts-line.ts";
import type { KnownHostsLine } from "./known-hosts-line.ts";
import { knownHostsName } from "./known-hosts-name.ts";
import type { KnownHostsName } from "./known-hosts-name.ts";

/** A key that a line of known_hosts names. */
export interface KnownKey {
  readonly type: string;
  readonly blob: Buffer;
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** What is known about one host, in the order of the files and lines. */
export interface KnownHost {
  /** The host's own keys; a host that shows none of them has changed. */
  readonly keys: readonly KnownKey[];
  /** Authorities whose host certificates count (`@cert-authority`). */
  readonly authorities: readonly KnownKey[];
  /** Keys and authorities that never count (`@revoked`), under the bare host name too. */
  readonly revoked: readonly KnownKey[];
  /**
   * What is known under the bare host name, for a port other than 22: one of these keys is accepted
   * like one of `keys`, while another key says nothing.
   */
  readonly withoutPort: {
    readonly keys: readonly KnownKey[];
    readonly authorities: readonly KnownKey[];
  };
  readonly name: KnownHostsName;
}

/** The content of all known_hosts files of a host. */
export interface KnownHosts {
  lookup(name: KnownHostsName): KnownHost;
  /** Lines that were skipped, for a debug log. */
  readonly malformed: readonly MalformedLine[];
}

/** A line that OpenSSH skips too. */
export interface MalformedLine {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

interface Entry extends KnownHostsLine {
  readonly file: string;
  readonly number: number;
}

/**
 * Reads known_hosts files as OpenSSH does. A file that does not exist is empty; one that cannot be
 * read is an error, since it might be the one that knows the host.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG` with `details.file`
 */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHosts> {
  const entries: Entry[] = [];
  const malformed: MalformedLine[] = [];
  for (const file of files) {
    const content = parseKnownHosts(await readContent(file), file);
    entries.push(...content.entries);
    malformed.push(...content.malformed);
  }
  return { malformed, lookup: (name) => lookup(entries, name) };
}

/** Reads the content of one file. Never throws: OpenSSH skips what it cannot read, line by line. */
export function parseKnownHosts(
  content: Buffer,
  file: string,
): { readonly entries: readonly Entry[]; readonly malformed: readonly MalformedLine[] } {
  const entries: Entry[] = [];
  const malformed: MalformedLine[] = [];
  for (const [index, text] of content.toString("latin1").split("\n").entries()) {
    const parsed = parseKnownHostsLine(text);
    if (parsed.kind === "entry") entries.push({ ...parsed.line, file, number: index + 1 });
    if (parsed.kind === "malformed") {
      malformed.push({ file, line: index + 1, reason: parsed.reason });
    }
  }
  return { entries, malformed };
}

/**
 * Whether a host has no known key of its own, and an authority that may sign one. Such a host has to
 * show a certificate.
 */
export function hasOnlyAuthorities({ keys, authorities, withoutPort }: KnownHost): boolean {
  return (
    authorities.length + withoutPort.authorities.length > 0 &&
    keys.length + withoutPort.keys.length === 0
  );
}

/**
 * {@link hasOnlyAuthorities}, for a host that is yet to be looked up.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG` with `details.file`
 */
export async function isKnownOnlyByAuthority(
  settings: Pick<
    SshSettings,
    "hostName" | "port" | "hostKeyAlias" | "userKnownHostsFiles" | "globalKnownHostsFiles"
  >,
): Promise<boolean> {
  const hosts = await readKnownHosts([
    ...settings.userKnownHostsFiles,
    ...settings.globalKnownHostsFiles,
  ]);
  return hasOnlyAuthorities(hosts.lookup(knownHostsName(settings)));
}

function lookup(entries: readonly Entry[], name: KnownHostsName): KnownHost {
  const named = entries.filter(({ names }) => names(name.display));
  const { withoutPort } = name;
  const bare = withoutPort === undefined ? [] : entries.filter(({ names }) => names(withoutPort));
  return {
    name,
    keys: keysOf(named, "none"),
    authorities: keysOf(named, "cert-authority"),
    // OpenSSH records a key under `[host]:port` that is revoked for the bare name; this is stricter.
    revoked: keysOf([...new Set([...named, ...bare])], "revoked"),
    withoutPort: { keys: keysOf(bare, "none"), authorities: keysOf(bare, "cert-authority") },
  };
}

function keysOf(entries: readonly Entry[], wanted: Entry["marker"]): KnownKey[] {
  return entries
    .filter(({ marker }) => marker === wanted)
    .map(({ type, blob, file, number }) => ({
      type,
      blob,
      fingerprint: fingerprintOf(blob),
      file,
      line: number,
    }));
}

async function readContent(file: string): Promise<Buffer> {
  try {
    const status = await stat(file);
    if (status.isFile()) return await readFile(file);
    // /dev/null is how people switch a file off; the others would block, or hold no lines.
    if (status.isCharacterDevice()) return Buffer.alloc(0);
    throw unreadable(file, "it is no file");
  } catch (cause) {
    if (cause instanceof TunnelError) throw cause;
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return Buffer.alloc(0);
    throw unreadable(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function unreadable(file: string, why: string, cause?: unknown): TunnelError {
  return new TunnelError("INVALID_SSH_CONFIG", `${file} cannot be read: ${why}.`, {
    cause,
    details: { file },
    hint: "It holds the keys of known hosts: make it readable, or name another with UserKnownHostsFile.",
  });
}
