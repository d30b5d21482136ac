import type { AuthenticationCallbacks } from "../../engine.ts";

/** Answers about the passphrases of key files, of which the right ones need not be given again. */
export interface RememberingPassphrases {
  readonly passphrase: NonNullable<AuthenticationCallbacks["passphrase"]>;
  /** ssh is in: what was answered last is kept, for as long as the callbacks are. */
  keep(): void;
}

const keptFor = new WeakMap<AuthenticationCallbacks, Map<string, string>>();

/**
 * For one attempt to connect: a tunnel that comes back at night does not ask again. A kept passphrase
 * that is no longer right is forgotten, and asked for as if it had never been.
 */
export function rememberingPassphrases(
  callbacks: AuthenticationCallbacks,
): RememberingPassphrases | undefined {
  const { passphrase: ask } = callbacks;
  if (ask === undefined) return undefined;
  const kept = keptFor.get(callbacks) ?? new Map<string, string>();
  keptFor.set(callbacks, kept);
  const answered = new Map<string, string>();
  const triedKept = new Set<string>();
  return {
    async passphrase(file, attempt) {
      const known = kept.get(file);
      if (attempt === 1 && known !== undefined) {
        triedKept.add(file);
        answered.set(file, known);
        return known;
      }
      kept.delete(file);
      answered.delete(file);
      const answer = await ask(file, triedKept.has(file) ? attempt - 1 : attempt);
      if (answer !== undefined) answered.set(file, answer);
      return answer;
    },
    keep() {
      for (const [file, answer] of answered) kept.set(file, answer);
    },
  };
}
