import type { AuthenticationCallbacks } from "../../engine.ts";

/** What ssh asks for, as far as it can be told from its words. */
export type Prompt =
  | { readonly kind: "passphrase"; readonly identityFile: string }
  /** Of a security key, to which the file belongs. */
  | { readonly kind: "pin"; readonly identityFile: string }
  | { readonly kind: "password"; readonly user: string; readonly host: string }
  | { readonly kind: "interactive"; readonly text: string }
  | { readonly kind: "other" };

const PASSPHRASE = /^Enter (?:passphrase for key '(.+)'|PIN for \S+ key (.+)): ?$/su;
const PASSWORD = /^(\S+)@(\S+)'s password: ?$/u;
/** ssh puts this before a server's words, so that a server cannot ask in the name of ssh. */
const INTERACTIVE = /^\(\S+@\S+\) (.*)$/su;
/** No more of a file's name than this is in a prompt. */
const SHOWN_CHARACTERS = 100;

/** Reads a prompt of OpenSSH 8.6 or later. */
export function parsePrompt(text: string, identityFiles: readonly string[]): Prompt {
  const interactive = INTERACTIVE.exec(text)?.[1];
  if (interactive !== undefined) {
    return { kind: "interactive", text: interactive.replace(/[^\P{C}\n]/gu, "") };
  }
  const [, quoted, bare] = PASSPHRASE.exec(text) ?? [];
  const named = quoted ?? bare;
  if (named !== undefined) {
    const file = identityFiles.find((path) => path.slice(0, SHOWN_CHARACTERS) === named) ?? named;
    return { kind: quoted === undefined ? "pin" : "passphrase", identityFile: file };
  }
  const [, user, host] = PASSWORD.exec(text) ?? [];
  if (user !== undefined && host !== undefined) return { kind: "password", user, host };
  return { kind: "other" };
}

/** Asks whoever can answer; undefined gives it up. */
export async function answerPrompt(
  prompt: Prompt,
  callbacks: AuthenticationCallbacks,
  attempts: Map<string, number>,
): Promise<string | undefined> {
  switch (prompt.kind) {
    case "passphrase":
    case "pin": {
      const attempt = (attempts.get(prompt.identityFile) ?? 0) + 1;
      attempts.set(prompt.identityFile, attempt);
      return callbacks.passphrase?.(prompt.identityFile, attempt);
    }
    case "password":
      return callbacks.password?.({ user: prompt.user, host: prompt.host });
    case "interactive": {
      // ssh asks one by one, and does not say whether the answer may be seen.
      const prompts = [{ text: prompt.text, echo: false }];
      const answers = await callbacks.keyboardInteractive?.({
        name: "",
        instructions: "",
        prompts,
      });
      return answers?.[0];
    }
    default:
      return undefined;
  }
}
