import type { Client, ClientChannel } from "ssh2";
import { TunnelError } from "../../errors.ts";
import type { RemoteCommandOptions, RemoteCommandResult } from "../engine.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
/** The longest a timer of Node can wait. */
const MAX_TIMER_MS = 2_147_483_647;
const DEFAULT_MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Runs one command in a session of its own, without a terminal.
 *
 * @throws {@link TunnelError} `COMMAND_REFUSED`, `TIMED_OUT`, `CONNECTION_LOST`
 */
export function runRemoteCommand(
  client: Client,
  command: string,
  {
    signal,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES,
  }: RemoteCommandOptions = {},
): Promise<RemoteCommandResult> {
  return new Promise((resolve, reject) => {
    let channel: ClientChannel | undefined;
    let isSettled = false;
    const timer = setTimeout(
      () => {
        fail(
          new TunnelError("TIMED_OUT", `the remote command did not end within ${timeoutMs} ms.`, {
            details: { stage: "command" },
          }),
        );
      },
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
    const abort = (): void => fail(signal?.reason);
    const settle = (): void => {
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      client.off("close", lost);
    };
    const fail = (error: unknown): void => {
      settle();
      channel?.close();
      reject(error);
    };
    const lost = (): void =>
      fail(
        new TunnelError("CONNECTION_LOST", "the connection broke while the remote command ran."),
      );

    if (signal?.aborted) return fail(signal.reason);
    signal?.addEventListener("abort", abort, { once: true });
    client.once("close", lost);
    const started = (error: Error | undefined, opened: ClientChannel): void => {
      if (error) {
        fail(
          new TunnelError("COMMAND_REFUSED", `the SSH server runs no command: ${error.message}.`, {
            cause: error,
            hint: "A forced command or a restricted key may be the reason.",
          }),
        );
        return;
      }
      channel = opened;
      if (isSettled) {
        // Given up before the server had begun.
        opened.resume().close();
        return;
      }
      const stdout = collect(opened, maxOutputBytes);
      const stderr = collect(opened.stderr, maxOutputBytes);
      let exit: { code: number | null; signal: string | null } = { code: null, signal: null };
      opened.on("exit", (code: number | null, name?: string) => {
        exit = { code, signal: name ?? null };
      });
      opened.once("close", () => {
        settle();
        resolve({ exitCode: exit.code, signal: exit.signal, stdout: stdout(), stderr: stderr() });
      });
      opened.end();
    };
    try {
      client.exec(command, started);
    } catch {
      lost();
    }
  });
}

/** Collects a stream up to a limit; what is beyond is read and dropped. */
function collect(stream: NodeJS.ReadableStream, maxBytes: number): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    const kept = chunk.subarray(0, Math.max(0, maxBytes - bytes));
    bytes += kept.length;
    if (kept.length > 0) chunks.push(kept);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
