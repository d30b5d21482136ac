import { spawn, type ChildProcess } from "node:child_process";
import process from "node:process";
import { TunnelError } from "../errors.ts";
import type { Env } from "./find-ssh-program.ts";
import { configError } from "./ssh-complaints.ts";

export interface AskSshOptions {
  readonly env: Env;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** More than any configuration prints; what exceeds it is no answer of ssh. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** What a program says that is called ssh and does not know `-G`. */
const NOT_OPENSSH = /unknown option|illegal option|invalid option|unrecognized option|^usage:/imu;
/** Dropbear's client says so and goes on to connect. */
const CONNECTS_INSTEAD = /^\s*WARNING: Ignoring unknown option -G/u;

/** Variables of this program that no command under `Match exec` has to see. */
const CREDENTIAL = /^OPENCLAW_.*(?:TOKEN|PASSWORD|SECRET|API_KEY)|^NODE_OPTIONS$/iu;

/**
 * Runs `ssh -G` and returns what it prints; undefined when the program is another SSH client than
 * OpenSSH. No shell and no stdin; what ssh itself starts for `Match exec` ends with it.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG`, `INVALID_TARGET`, `ENGINE_MISSING`, `TIMED_OUT`,
 * `CLOSED`
 */
export async function askSsh(
  program: string,
  args: readonly string[],
  { env, timeoutMs, signal }: AskSshOptions,
): Promise<string | undefined> {
  if (signal?.aborted) throw givenUp(signal);
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const child = spawn(program, ["-G", ...args], {
    env: childEnv(env),
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
    // A group of its own, so that commands of `Match exec` end with it, and have no terminal to ask.
    detached: process.platform !== "win32",
  });
  const output = { stdout: "", stderr: "" };

  const giveUp = (error: TunnelError): void => {
    killGroup(child);
    reject(error);
  };
  const onAbort = (): void => giveUp(givenUp(signal));
  const timer = setTimeout(() => giveUp(tooSlow(program, timeoutMs)), timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });

  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text: string) => {
      output[name] += text;
      if (output[name].length > MAX_OUTPUT_BYTES) killGroup(child);
      if (CONNECTS_INSTEAD.test(output.stderr)) killGroup(child);
    });
  }
  child.once("error", (error) => {
    reject(
      new TunnelError("ENGINE_MISSING", `${program} cannot be started: ${error.message}.`, {
        cause: error,
        hint: "Install an OpenSSH client, or name another program.",
      }),
    );
  });
  const isAnswered = (): boolean => /^hostname /mu.test(output.stdout);
  // Not only at the end of all: what `Match exec` leaves in the background may hold stderr open.
  child.stdout.once("close", () => {
    if (isAnswered()) resolve(output.stdout);
  });
  child.once("close", (exitCode) => {
    if (isAnswered()) resolve(output.stdout);
    else if (exitCode === 0 || isNoOpenSsh(output.stderr)) resolve(undefined);
    else reject(configError(output.stderr, exitCode));
  });

  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.stderr.destroy();
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Everything that the configuration may name as `${VARIABLE}` and its commands may need, without the
 * credentials of this program.
 */
function childEnv(env: Env): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !CREDENTIAL.test(name)) kept[name] = value;
  }
  return kept;
}

/** Without a complaint about a line: a command under `Match exec` may write what it likes. */
function isNoOpenSsh(stderr: string): boolean {
  return NOT_OPENSSH.test(stderr) && configError(stderr, null).details.line === undefined;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (process.platform === "win32") {
    child.kill("SIGKILL");
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended in the meantime.
  }
}

function tooSlow(program: string, timeoutMs: number): TunnelError {
  return new TunnelError("TIMED_OUT", `${program} -G did not answer within ${timeoutMs} ms.`, {
    hint: "A command under `Match exec` in your ssh config may hang.",
    details: { stage: "configuration" },
  });
}

function givenUp(signal: AbortSignal | undefined): TunnelError {
  return new TunnelError("CLOSED", "reading the ssh configuration was given up.", {
    cause: signal?.reason,
  });
}
