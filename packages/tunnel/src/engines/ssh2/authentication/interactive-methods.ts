import type { AnyAuthMethod } from "ssh2";
import type { AuthenticationCallbacks } from "../../engine.ts";
import type { Asking } from "./asking.ts";

/** The methods that a person answers. Each is tried while its callback answers, a few times at most. */
export interface InteractiveMethods {
  /**
   * The next attempt with a method; undefined when there is none.
   *
   * @param abandon called when nobody answers the server's questions
   */
  next(method: string, abandon: () => void): Promise<AnyAuthMethod | undefined>;
  /** Another attempt with this method cannot succeed. */
  giveUp(method: string): void;
}

const MAX_ROUNDS = 3;
/** A server may ask several times within one round, for example for a code after a password. */
const MAX_QUESTIONS = 8;

export function createInteractiveMethods(
  { user, host }: { readonly user: string; readonly host: string },
  { password, keyboardInteractive }: AuthenticationCallbacks,
  asking: Asking,
): InteractiveMethods {
  const rounds = new Map<string, number>();

  const askPassword = (): Promise<string | undefined> =>
    asking.ask("password", async () => password?.({ user, host }));

  async function answer(
    name: string,
    instructions: string,
    prompts: readonly { prompt: string; echo?: boolean }[],
  ): Promise<readonly string[] | undefined> {
    const [only] = prompts;
    if (!keyboardInteractive) {
      // Many servers ask for the password this way only.
      const isPassword = prompts.length === 1 && !only?.echo && /passw/iu.test(only?.prompt ?? "");
      const secret = isPassword ? await askPassword() : undefined;
      return secret === undefined ? undefined : [secret];
    }
    const answers = await asking.ask("keyboard-interactive", () =>
      keyboardInteractive({
        name: printable(name),
        instructions: printable(instructions),
        prompts: prompts.map(({ prompt, echo }) => ({
          text: printable(prompt),
          echo: echo === true,
        })),
      }),
    );
    return answers?.length === prompts.length ? answers : undefined;
  }

  function keyboardMethod(abandon: () => void): AnyAuthMethod {
    let questions = 0;
    return {
      type: "keyboard-interactive",
      username: user,
      prompt(name, instructions, _language, prompts, finish) {
        questions += 1;
        const answering =
          questions > MAX_QUESTIONS
            ? Promise.resolve(undefined)
            : answer(name, instructions, prompts);
        answering
          .then((answers) => (answers ? finish([...answers]) : abandon()))
          // The connection may be gone by now, and whoever owns it knows.
          .catch(() => undefined);
      },
    };
  }

  function giveUp(method: string): void {
    rounds.set(method, MAX_ROUNDS);
  }

  return {
    giveUp,
    async next(method, abandon) {
      const round = (rounds.get(method) ?? 0) + 1;
      rounds.set(method, round);
      if (round > MAX_ROUNDS) return undefined;
      if (method === "password" && password) {
        const secret = await askPassword();
        if (secret !== undefined) return { type: "password", username: user, password: secret };
        giveUp(method);
      }
      if (method === "keyboard-interactive" && (keyboardInteractive ?? password)) {
        return keyboardMethod(() => {
          giveUp(method);
          abandon();
        });
      }
      return undefined;
    },
  };
}

/** What a server says may not steer a terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, "");
}
