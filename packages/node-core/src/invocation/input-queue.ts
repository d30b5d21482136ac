/** The input of one invocation: filled by events, read by the command. */
export interface InputQueue extends AsyncIterable<string> {
  /** Takes a piece; late, repeated and surplus ones are dropped. @returns false if dropped */
  push(seq: number, text: string): boolean;
  end(): void;
}

// A caller that sends faster than the command reads; a command that reads nothing at all.
const MAX_WAITING = 1_024;

/** Orders pieces by `seq`, from 0, and hands them out one by one. */
export function createInputQueue(): InputQueue {
  const ready: string[] = [];
  const early = new Map<number, string>();
  let nextSeq = 0;
  let isEnded = false;
  let wake: (() => void) | undefined;

  const notify = (): void => {
    wake?.();
    wake = undefined;
  };

  return {
    push(seq, text) {
      if (isEnded || seq < nextSeq || early.has(seq)) return false;
      if (ready.length + early.size >= MAX_WAITING) return false;
      early.set(seq, text);
      let piece = early.get(nextSeq);
      while (piece !== undefined) {
        early.delete(nextSeq);
        ready.push(piece);
        nextSeq += 1;
        piece = early.get(nextSeq);
      }
      notify();
      return true;
    },
    end() {
      isEnded = true;
      notify();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const piece = ready.shift();
        if (piece !== undefined) {
          yield piece;
          continue;
        }
        if (isEnded) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
