import { password as askHidden, isCancel, text as askText } from "@clack/prompts";
import { safeText, type WayOptions } from "@openclaw/app-kit";
import type { Terminal } from "../io.ts";

type Callbacks = NonNullable<WayOptions["authentication"]>;

/**
 * Asks for what SSH wants to know, at a terminal.
 *
 * @param onCancel told when a question is answered with Ctrl-C, which reaches no signal handler then
 */
export function askPerson({ input, output }: Terminal, onCancel: () => void): Required<Callbacks> {
  const streams = { input, output, withGuide: false };

  async function ask(message: string, isHidden: boolean): Promise<string | undefined> {
    const question = { ...streams, message };
    const answer = await (isHidden ? askHidden(question) : askText(question));
    if (!isCancel(answer)) return answer;
    onCancel();
    return undefined;
  }

  return {
    passphrase: (identityFile, attempt) =>
      ask(`Passphrase of ${safeText(identityFile)}${attempt > 1 ? " (try again)" : ""}`, true),
    password: ({ user, host }) => ask(`Password of ${safeText(user)}@${safeText(host)}`, true),
    async keyboardInteractive({ name, instructions, prompts }) {
      for (const line of [name, instructions]) {
        if (line.trim() !== "") output.write(`${safeText(line)}\n`);
      }
      const answers: string[] = [];
      for (const { text, echo } of prompts) {
        // One question after the other, as the server put them.
        // oxlint-disable-next-line no-await-in-loop
        const answer = await ask(safeText(text), !echo);
        if (answer === undefined) return undefined;
        answers.push(answer);
      }
      return answers;
    },
  };
}
