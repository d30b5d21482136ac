import { writeFile } from "node:fs/promises";
import { startProcess } from "../process-fixture.ts";
import type { TestProcess } from "../process-fixture.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { runProgram } from "./ssh-programs.ts";

/** A real ssh-agent. */
export interface SshAgent extends AsyncDisposable {
  /** What SSH_AUTH_SOCK is to be. */
  readonly socketPath: string;
  readonly process: TestProcess;
  /** Loads a private key, and the certificate beside it if there is one. */
  add(privateKeyPath: string, options?: { passphrase?: string }): Promise<void>;
  /** The public keys it holds. */
  list(): Promise<string[]>;
  removeAll(): Promise<void>;
  /** From now on it shows no key and signs nothing. */
  lock(passphrase: string): Promise<void>;
  unlock(passphrase: string): Promise<void>;
  /** SIGSTOP: connections to it are accepted by the system, and nothing answers. */
  freeze(): void;
  /** SIGCONT */
  thaw(): void;
  stop(): Promise<void>;
}

/** Starts ssh-agent in the foreground; resolves when it listens. */
export async function startSshAgent(): Promise<SshAgent> {
  const directory = await temporaryDirectory("openclaw-agent-");
  const socketPath = directory.file("agent.sock");
  const child = startProcess("ssh-agent", ["-D", "-a", socketPath]);
  try {
    // It says where it listens, and by then it does.
    await child.line(/SSH_AUTH_SOCK=/u);
  } catch (error) {
    await end();
    throw error;
  }

  async function end(): Promise<void> {
    await child[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  }

  /** ssh-add asks a terminal for passphrases, or a program if it is told to: one of ours. */
  async function sshAdd(args: readonly string[], passphrase = ""): Promise<string> {
    const answer = directory.file("passphrase");
    const askpass = directory.file("askpass");
    await writeFile(answer, `${passphrase}\n`, { mode: 0o600 });
    await writeFile(askpass, `#!/bin/sh\nexec cat '${answer}'\n`, { mode: 0o700 });
    return runProgram("ssh-add", args, {
      SSH_AUTH_SOCK: socketPath,
      SSH_ASKPASS: askpass,
      SSH_ASKPASS_REQUIRE: "force",
    });
  }

  return {
    socketPath,
    process: child,
    async add(privateKeyPath, { passphrase } = {}) {
      await sshAdd(["-q", privateKeyPath], passphrase);
    },
    async list() {
      // Without a key it ends with 1 and says so.
      const output = await sshAdd(["-L"]).catch((error: unknown) => stdoutOf(error));
      return output.split("\n").filter((line) => /^\S+ AAAA/u.test(line));
    },
    async removeAll() {
      await sshAdd(["-q", "-D"]);
    },
    async lock(passphrase) {
      await sshAdd(["-x"], passphrase);
    },
    async unlock(passphrase) {
      await sshAdd(["-X"], passphrase);
    },
    freeze: () => child.freeze(),
    thaw: () => child.thaw(),
    async stop() {
      await child.stop();
    },
    [Symbol.asyncDispose]: end,
  };
}

function stdoutOf(error: unknown): string {
  if (error instanceof Error && "stdout" in error) return String(error.stdout);
  throw error;
}
