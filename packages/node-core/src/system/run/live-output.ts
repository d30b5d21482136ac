import { MAX_PROGRESS_CHUNK_CHARS } from "@openclaw/protocol";
import type { StreamName } from "./output-capture.ts";

// Long enough to gather the lines of a busy program, too short to be noticed.
const GATHER_MS = 40;

/** Sends output while it comes, gathered into few messages. */
export interface LiveOutput {
  add(stream: StreamName, text: string): void;
  /** Sends what is left. */
  end(): void;
}

/** Each message is the JSON text `{"stream":"stdout"|"stderr","text":"…"}`, whole in one chunk. */
export function createLiveOutput(progress: (chunk: string) => boolean): LiveOutput {
  let waiting: { stream: StreamName; text: string } | undefined;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting === undefined) return;
    for (const chunk of chunksOf(waiting.stream, waiting.text)) progress(chunk);
    waiting = undefined;
  }

  return {
    add(stream, text) {
      if (text === "") return;
      // A change of stream keeps its place in the order.
      if (waiting !== undefined && waiting.stream !== stream) flush();
      waiting = { stream, text: (waiting?.text ?? "") + text };
      if (waiting.text.length >= MAX_PROGRESS_CHUNK_CHARS) flush();
      else timer ??= setTimeout(flush, GATHER_MS);
    },
    end: flush,
  };
}

/** Halves the text until its JSON fits, since escapes make it longer than the text. */
function chunksOf(stream: StreamName, text: string): string[] {
  const chunk = JSON.stringify({ stream, text });
  if (chunk.length <= MAX_PROGRESS_CHUNK_CHARS) return [chunk];
  let middle = text.length >> 1;
  const codeUnit = text.charCodeAt(middle);
  if (codeUnit >= 0xdc00 && codeUnit <= 0xdfff) middle -= 1;
  return [...chunksOf(stream, text.slice(0, middle)), ...chunksOf(stream, text.slice(middle))];
}
