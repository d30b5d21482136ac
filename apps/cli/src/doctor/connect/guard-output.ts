import type { CommandContext } from "../../program/command-context.ts";

/** A context that prints no secret it knows, whoever wrote the text that holds one. */
export interface GuardedContext {
  readonly context: CommandContext;
  /** From now on this is not printed. */
  hide(secret: string | undefined): void;
}

/** Shorter ones stand in ordinary words by chance. */
const MIN_SECRET_CHARS = 8;

/**
 * Puts a filter in front of stdout and stderr. What another side sends back may hold what was sent to
 * it, in any field; so the last place before the terminal is where it is looked for.
 */
export function guardOutput(given: CommandContext): GuardedContext {
  const secrets = new Set<string>();
  const clean = (text: string): string =>
    [...secrets].reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
  const { io } = given;
  const guarded = {
    ...io,
    stdout: withFilter(io.stdout, clean),
    stderr: withFilter(io.stderr, clean),
  };
  return {
    context: {
      ...given,
      io: guarded,
      answer(document, human) {
        const text = given.json ? JSON.stringify(document, undefined, 2) : human();
        guarded.stdout.write(`${text}\n`);
      },
      say: (line) => void guarded.stderr.write(`${line}\n`),
    },
    hide(secret) {
      if (secret === undefined || secret.length < MIN_SECRET_CHARS) return;
      secrets.add(secret);
      // As it stands in a document.
      secrets.add(JSON.stringify(secret).slice(1, -1));
    },
  };
}

type Sink = CommandContext["io"]["stdout"];

function withFilter(sink: Sink, clean: (text: string) => string): Sink {
  return {
    write: (text) => sink.write(clean(text)),
    get isTTY() {
      return sink.isTTY ?? false;
    },
    get columns() {
      return sink.columns ?? 80;
    },
  };
}
