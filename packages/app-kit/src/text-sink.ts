/** Where text goes: a process stream, or a buffer in a test. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal, where it is one. */
  readonly columns?: number;
}

/** Opens the stream at first use: most runs have no story to tell, and opening takes a while. */
export function lazySink(open: () => NodeJS.WriteStream): TextSink {
  let stream: NodeJS.WriteStream | undefined;
  const get = (): NodeJS.WriteStream => {
    // A reader that has seen enough, as in `openclaw nodes list | head -1`, is no failure.
    stream ??= open().on("error", ignoreClosedPipe);
    return stream;
  };
  return {
    write: (text) => get().write(text),
    get isTTY() {
      return get().isTTY;
    },
    get columns() {
      return get().columns;
    },
  };
}

function ignoreClosedPipe(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}
