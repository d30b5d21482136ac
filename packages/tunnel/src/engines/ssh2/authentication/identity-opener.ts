import type { AuthenticationCallbacks } from "../../engine.ts";
import type { Asking } from "./asking.ts";
import type { FileFault, IdentityFile } from "./identity-file.ts";
import type { Keyring } from "./keyring.ts";
import { openPrivateKey, type PrivateKey } from "./private-key.ts";

/** What became of the attempt to open an identity. */
export type OpenedIdentity =
  | { readonly kind: "opened"; readonly key: PrivateKey }
  /** Nobody knew the passphrase. */
  | { readonly kind: "locked" }
  | { readonly kind: "fault"; readonly fault: FileFault };

/** Opens the private keys of identity files. */
export interface IdentityOpener {
  /** The key, as far as it is open without asking anybody. */
  openQuietly(identity: IdentityFile): OpenedIdentity;
  /** Asks for the passphrase where it has to; at most {@link MAX_PASSPHRASES} times a file. */
  open(identity: IdentityFile): Promise<OpenedIdentity>;
}

const MAX_PASSPHRASES = 3;

export function createIdentityOpener(
  passphrase: AuthenticationCallbacks["passphrase"],
  keyring: Keyring,
  asking: Asking,
): IdentityOpener {
  const results = new Map<IdentityFile, OpenedIdentity>();

  function openQuietly(identity: IdentityFile): OpenedIdentity {
    const known = results.get(identity);
    if (known) return known;
    const kept = keyring.get(identity);
    if (kept) return { kind: "opened", key: kept };
    if (identity.isEncrypted) return { kind: "locked" };
    const result = tryToOpen(identity, undefined) ?? damaged(identity, "is damaged");
    results.set(identity, result);
    return result;
  }

  return {
    openQuietly,
    async open(identity) {
      const quiet = openQuietly(identity);
      if (quiet.kind !== "locked" || results.has(identity) || !passphrase) return quiet;
      let result: OpenedIdentity = quiet;
      for (let attempt = 1; attempt <= MAX_PASSPHRASES; attempt += 1) {
        // One question after the other.
        // oxlint-disable-next-line no-await-in-loop
        const answer = await asking.ask("passphrase", () => passphrase(identity.path, attempt));
        if (answer === undefined) break;
        const opened = tryToOpen(identity, answer);
        if (opened === undefined) continue;
        if (opened.kind === "opened") keyring.keep(identity, opened.key);
        result = opened;
        break;
      }
      results.set(identity, result);
      return result;
    },
  };
}

/** @returns undefined when the passphrase is wrong */
function tryToOpen(
  identity: IdentityFile,
  passphrase: string | undefined,
): OpenedIdentity | undefined {
  const text = identity.privateText?.toString("utf8") ?? "";
  const opened = openPrivateKey(text, passphrase);
  switch (opened.kind) {
    case "opened":
      return opened;
    case "wrong-passphrase":
      return undefined;
    case "unsupported":
      return damaged(identity, `cannot be used: ${opened.reason}`);
  }
}

function damaged({ path }: IdentityFile, message: string): OpenedIdentity {
  return { kind: "fault", fault: { file: path, message, hint: undefined } };
}
