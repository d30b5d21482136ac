import { spawn } from "node:child_process";

/** How a command ended. Nothing here throws: a supervisor that fails is an answer. */
export interface CommandResult {
  /** null when it was not started, or a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why there is no exit code. */
  readonly failure?: "missing" | "denied" | "timeout" | "signal" | "other";
}

export interface CommandOptions {
  readonly timeoutMs: number;
  /** Written to stdin, which is closed then. */
  readonly input?: string;
}

/** Runs a program with an argument list; no shell is involved. */
export type CommandRunner = (
  file: string,
  args: readonly string[],
  options: CommandOptions,
) => Promise<CommandResult>;

export interface CommandRunnerOptions {
  /** The whole environment of the commands. Their messages are read, so they are asked for in English. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** More than this of one stream is dropped. @default 1 MiB */
  readonly maxOutputBytes?: number;
}

/** The real thing. */
export function createCommandRunner({
  env,
  maxOutputBytes = 1024 * 1024,
}: CommandRunnerOptions): CommandRunner {
  return (file, args, { timeoutMs, input }) =>
    new Promise((resolve) => {
      const child = spawn(file, args, {
        env: { ...env, LC_ALL: "C" },
        stdio: ["pipe", "pipe", "pipe"],
        windowsHide: true,
      });
      const output = { stdout: "", stderr: "" };
      let isTimedOut = false;
      let startFailure: CommandResult["failure"];
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8").on("data", (text: string) => {
          if (output[stream].length < maxOutputBytes) output[stream] += text;
        });
      }
      child.stdin.on("error", () => undefined).end(input);
      const timer = setTimeout(() => {
        isTimedOut = true;
        child.kill("SIGKILL");
      }, timeoutMs);
      child.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") startFailure = "missing";
        else startFailure = error.code === "EACCES" ? "denied" : "other";
        output.stderr ||= error.message;
      });
      child.once("close", (code, signal) => {
        clearTimeout(timer);
        const failure = isTimedOut ? "timeout" : (startFailure ?? (signal && "signal"));
        resolve({
          code: failure === null ? code : null,
          ...output,
          ...(failure === null ? {} : { failure }),
        });
      });
    });
}
