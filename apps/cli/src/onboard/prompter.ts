import {
  confirm,
  isCancel,
  log,
  note,
  password as askHidden,
  select,
  text as askText,
} from "@clack/prompts";
import type { Terminal } from "../io.ts";
import { CliError } from "../errors.ts";

/** A line that can be chosen. */
export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly hint?: string;
}

/** Asks a person at a terminal. Every question may be answered with Ctrl-C, which ends the whole. */
export interface Prompter {
  select<T extends string>(message: string, choices: readonly Choice<T>[], initial: T): Promise<T>;
  text(
    message: string,
    initial: string,
    check?: (text: string) => string | undefined,
  ): Promise<string>;
  /** What is typed is not shown; empty when nothing was. */
  secret(message: string): Promise<string>;
  confirm(message: string, initial: boolean): Promise<boolean>;
  /** Something to read before the next question. */
  note(title: string, text: string): void;
  step(text: string): void;
}

/** @throws {CliError} from every question that is given up; nothing was changed by then */
export function createPrompter({ input, output }: Terminal): Prompter {
  const streams = { input, output };
  async function answer<T>(asked: Promise<T>): Promise<Exclude<T, symbol>> {
    const value = await asked;
    if (isCancel(value)) {
      throw new CliError("cli_error", "given up; nothing was changed", {
        exitCode: 130,
        fields: { kind: "interrupted" },
      });
    }
    // A cancel is the only symbol there is.
    return value as Exclude<T, symbol>;
  }
  return {
    select: <T extends string>(message: string, choices: readonly Choice<T>[], initial: T) =>
      // The library types options by a conditional on T, which a parameter cannot be matched with.
      answer(
        select({ ...streams, message, options: [...choices] as never, initialValue: initial }),
      ) as Promise<T>,
    text: (message, initial, check) =>
      answer(
        askText({
          ...streams,
          message,
          initialValue: initial,
          validate: (value) => check?.(value ?? ""),
        }),
      ),
    secret: async (message) => (await answer(askHidden({ ...streams, message }))) ?? "",
    confirm: (message, initial) => answer(confirm({ ...streams, message, initialValue: initial })),
    note: (title, text) => note(text, title, { output }),
    step: (text) => log.step(text, { output }),
  };
}
