/** Tells the steps of the tour as they happen, each with the time since the start. */
export interface Narrator {
  /** One line with the time, and further lines below it. */
  step(text: string, ...more: readonly string[]): void;
  /** Text as it is. */
  say(text: string): void;
}

export interface NarratorOptions {
  write: (text: string) => void;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  now?: () => number;
}

/** Creates a {@link Narrator}; its clock starts now. */
export function createNarrator({
  write,
  now = () => performance.now(),
}: NarratorOptions): Narrator {
  const startedAt = now();
  return {
    step(text, ...more) {
      const seconds = ((now() - startedAt) / 1_000).toFixed(1).padStart(5);
      write(`${seconds} s  ${text}\n`);
      for (const line of more) write(`${INDENT}${line}\n`);
    },
    say: (text) => write(text),
  };
}

const INDENT = " ".repeat(9);
