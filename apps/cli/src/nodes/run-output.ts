import type { TextSink } from "@openclaw/app-kit";
import { parseProgress } from "./invoke-node.ts";

/** What `system.run` answers. */
export interface RunResult {
  exitCode?: number | null;
  timedOut?: boolean;
  success?: boolean;
  stdout?: string;
  stderr?: string;
  error?: string | null;
}

/** Nodes cap the output in a result at 200 000 bytes. */
const MAX_COMPARED_CHARS = 400_000;

/** Passes a program's output through: as it comes, and at the end what has not come yet. */
export interface RunOutput {
  progress(chunk: string): void;
  finish(result: RunResult): void;
}

export function createRunOutput(stdout: TextSink, stderr: TextSink): RunOutput {
  const sinks = { stdout, stderr };
  const shown = { stdout: "", stderr: "" };
  return {
    progress(chunk) {
      const { stream, text } = parseProgress(chunk);
      // Beyond what a result can hold there is nothing to compare with, and a run may last for days.
      if (shown[stream].length <= MAX_COMPARED_CHARS) shown[stream] += text;
      sinks[stream].write(text);
    },
    finish(result) {
      for (const stream of ["stdout", "stderr"] as const) {
        sinks[stream].write(missing(shown[stream], result[stream] ?? ""));
      }
    },
  };
}

/**
 * The part of `whole` that has not been shown. Live output may be ahead of the result, which is
 * capped, and a slow reader may have missed a piece in between; then nothing is repeated.
 */
function missing(shown: string, whole: string): string {
  if (shown === "") return whole;
  return whole.startsWith(shown) ? whole.slice(shown.length) : "";
}
