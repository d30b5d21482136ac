import { StringDecoder } from "node:string_decoder";

/** Bytes of output, of both streams together, that one `system.run` returns. */
export const MAX_OUTPUT_BYTES = 200_000;

/** Ends a stream whose rest was left out. */
export const TRUNCATION_MARK = "\n... (truncated)\n";

export type StreamName = "stdout" | "stderr";

/** Collects the output of a process up to a limit, as text that never ends within a character. */
export interface OutputCapture {
  /** Takes bytes; returns the text that they add, for live output. */
  add(stream: StreamName, bytes: Buffer): string;
  /** The whole text of a stream. */
  text(stream: StreamName): string;
}

interface Captured {
  decoder: StringDecoder;
  text: string;
  isTruncated: boolean;
}

export function createOutputCapture(maxBytes: number = MAX_OUTPUT_BYTES): OutputCapture {
  const streams: Record<StreamName, Captured> = {
    stdout: { decoder: new StringDecoder("utf8"), text: "", isTruncated: false },
    stderr: { decoder: new StringDecoder("utf8"), text: "", isTruncated: false },
  };
  let left = maxBytes;
  return {
    add(stream, bytes) {
      const captured = streams[stream];
      // Read on, so that the process is not stopped by a full pipe.
      if (captured.isTruncated) return "";
      const taken = bytes.subarray(0, left);
      left -= taken.length;
      captured.isTruncated = taken.length < bytes.length;
      // A character that the limit cuts stays in the decoder and is left out.
      const added = captured.decoder.write(taken) + (captured.isTruncated ? TRUNCATION_MARK : "");
      captured.text += added;
      return added;
    },
    text(stream) {
      const { decoder, text, isTruncated } = streams[stream];
      return isTruncated ? text : text + decoder.end();
    },
  };
}
