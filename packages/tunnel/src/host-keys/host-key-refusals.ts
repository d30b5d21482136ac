import { TunnelError } from "../errors.ts";
import type { KnownKey } from "./known-hosts.ts";
import type { ShownKey } from "./shown-key.ts";

/** The part of a shown key that messages name. */
type Shown = Pick<ShownKey, "name" | "type" | "fingerprint">;

/** Why an unknown key could not be accepted in another way. */
export interface UnknownKeyReasons {
  /** What is wrong with the host's certificate. */
  readonly fault: string | undefined;
  /** What hinders a policy that accepts new keys. */
  readonly obstacle: string | undefined;
}

/** Nothing is known about the host. */
export function unknownKey(shown: Shown, { fault, obstacle }: UnknownKeyReasons): TunnelError {
  const why = [
    ...(fault === undefined ? [] : [`its certificate ${visible(fault)}`]),
    ...(obstacle === undefined ? [] : [obstacle]),
  ].map((reason) => `, and ${reason}`);
  const otherwise =
    obstacle === undefined
      ? ', or accept it with --accept-new (in a script hostKeyPolicy: "accept-new")'
      : ", or pin this fingerprint";
  return new TunnelError(
    "HOST_KEY_UNKNOWN",
    `the host key of ${visible(shown.name)} is not known: ${describe(shown)}${why.join("")}.`,
    {
      hint: `If the host itself prints this fingerprint (ssh-keygen -lf /etc/ssh/${hostKeyFile(shown)}), log in once with ssh${otherwise}.`,
      details: detailsOf(shown),
    },
  );
}

/** The host is known, with other keys than the one it shows. */
export function changedKey(shown: Shown, known: readonly KnownKey[]): TunnelError {
  const nearest = known.find(({ type }) => type === shown.type) ?? known[0];
  const old =
    nearest === undefined
      ? "another key"
      : `${describe(nearest)} (${visible(nearest.file)}:${nearest.line})`;
  const removal =
    nearest === undefined ? "" : `: ssh-keygen -R ${quoted(shown.name)} -f ${quoted(nearest.file)}`;
  return new TunnelError(
    "HOST_KEY_CHANGED",
    `the host key of ${visible(shown.name)} has changed: it shows ${describe(shown)}, and known is ${old}.`,
    {
      hint: `Somebody may sit in between; if the host was set up anew and prints the new fingerprint itself, remove the old key${removal}`,
      details: {
        ...detailsOf(shown),
        expected: known.map(({ fingerprint }) => fingerprint),
        ...(nearest === undefined ? {} : { file: nearest.file, line: nearest.line }),
      },
    },
  );
}

/** Another key than the only one that may be accepted. */
export function otherThanPinned(shown: Shown, pinned: string): TunnelError {
  return new TunnelError(
    "HOST_KEY_CHANGED",
    `the host key of ${visible(shown.name)} is not the pinned one: it shows ${describe(shown)}, and pinned is ${pinned}.`,
    {
      hint: "Somebody may sit in between; if the host itself prints the new fingerprint, pin that one.",
      details: { ...detailsOf(shown), expected: [pinned] },
    },
  );
}

/** The key, or the authority that signed it, is marked `@revoked`. */
export function revokedKey(shown: Shown, { type, fingerprint, file, line }: KnownKey): TunnelError {
  const what =
    fingerprint === shown.fingerprint
      ? `the host key of ${visible(shown.name)} is revoked: ${describe(shown)}`
      : `the authority behind the host key of ${visible(shown.name)} is revoked: ${describe({ type, fingerprint })}`;
  return new TunnelError("HOST_KEY_REVOKED", `${what} (${visible(file)}:${line}).`, {
    hint: "Whoever marked it took it for stolen: give the host a new key, and do not remove the mark.",
    details: { ...detailsOf(shown), file, line },
  });
}

function detailsOf({ type, fingerprint }: Shown): { fingerprint: string; keyType: string } {
  return { fingerprint, keyType: type };
}

function describe({ type, fingerprint }: { type: string; fingerprint: string }): string {
  return `${type} ${fingerprint}`;
}

/** The public key's file as sshd names it. */
function hostKeyFile({ type }: Shown): string {
  const kind = /ed25519|ecdsa|rsa/u.exec(type)?.[0] ?? "*";
  return `ssh_host_${kind}_key.pub`;
}

/** One word for a POSIX shell. */
function quoted(word: string): string {
  return `'${visible(word).replaceAll("'", String.raw`'\''`)}'`;
}

/** Names come from configuration files: no control character reaches a terminal. */
function visible(text: string): string {
  return text.replace(/\p{C}/gu, "\u{FFFD}");
}
