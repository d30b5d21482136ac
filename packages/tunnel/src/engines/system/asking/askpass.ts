import { writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { Logger } from "../../../logger.ts";
import type { AuthenticationCallbacks } from "../../engine.ts";
import { type RememberingPassphrases, rememberingPassphrases } from "./kept-passphrases.ts";
import { answerPrompt, parsePrompt } from "./prompts.ts";
import { isAtLeast, type SshVersion } from "../arguments/ssh-version.ts";
import type { SshOption } from "../arguments/ssh-options.ts";

/** SSH_ASKPASS_REQUIRE came with 8.4; the mark before a server's own words a little later. */
const OLDEST = { major: 8, minor: 6 } as const;
const MAX_PROMPT_CHARACTERS = 10_000;

/**
 * What ssh starts for each question: it passes the question on to this process and prints the answer,
 * which so is neither in an argument, nor in the environment, nor in a file.
 */
const HELPER = `
const { connect } = require("node:net");
const { join } = require("node:path");
const socket = connect({ path: join(__dirname, "a"), allowHalfOpen: true });
let answer = "";
socket.setEncoding("utf8");
socket.on("data", (text) => (answer += text));
socket.on("error", () => process.exit(1));
socket.on("end", () => {
  if (!answer.startsWith("+")) process.exit(1);
  process.stdout.write(answer.slice(1) + "\\n");
  socket.destroy();
});
socket.end(JSON.stringify({ kind: process.env.SSH_ASKPASS_PROMPT, text: process.argv[2] }));
`;

/** Answers ssh's questions while it authenticates. */
export interface Askpass {
  /** What ssh needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Methods that nobody here could answer. */
  readonly options: readonly SshOption[];
  /** ssh is in: no passphrase need be given again. */
  keepPassphrases(): void;
  close(): void;
}

export interface AskpassInput {
  readonly callbacks: AuthenticationCallbacks;
  readonly version: SshVersion;
  /** A private one. */
  readonly directory: string;
  /** Files that may need a passphrase. */
  readonly identityFiles: readonly string[];
  readonly logger: Logger;
  /** Stops the clock while somebody is asked. */
  readonly pause: () => () => void;
}

/** Starts answering; undefined when there is nobody to ask, or ssh cannot be told to ask us. */
export async function startAskpass(input: AskpassInput): Promise<Askpass | undefined> {
  const { callbacks, version, directory, logger } = input;
  const { passphrase, password, keyboardInteractive } = callbacks;
  if (!passphrase && !password && !keyboardInteractive) return undefined;
  if (process.platform === "win32" || !isAtLeast(version, OLDEST)) {
    logger.info(
      { version: version.text },
      "this ssh cannot ask for passwords; keys and agents work",
    );
    return undefined;
  }
  const helper = join(directory, "askpass.cjs");
  const program = join(directory, "askpass");
  const words = [process.execPath, helper].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  await writeFile(helper, HELPER, { mode: 0o600 });
  await writeFile(program, `#!/bin/sh\nexec ${words.join(" ")} "$1"\n`, { mode: 0o700 });
  const remembering = rememberingPassphrases(callbacks);
  const close = await listen(join(directory, "a"), answering(input, remembering));
  return {
    env: { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: "force" },
    options: [
      ...(password ? [] : ([["PasswordAuthentication", "no"]] as const)),
      ...(keyboardInteractive ? [] : ([["KbdInteractiveAuthentication", "no"]] as const)),
    ],
    keepPassphrases: () => remembering?.keep(),
    close,
  };
}

function answering(
  input: AskpassInput,
  remembering: RememberingPassphrases | undefined,
): (question: string) => Promise<string | undefined> {
  const attempts = new Map<string, number>();
  return async (question) => {
    const { kind, text } = JSON.parse(question) as { kind?: unknown; text?: unknown };
    // A notice, such as to touch a key, wants no answer; it ends when ssh ends it.
    if (kind === "none" || typeof text !== "string") return undefined;
    const resume = input.pause();
    try {
      const prompt = parsePrompt(text, input.identityFiles);
      // A PIN is not kept: a security key locks itself after a few wrong ones.
      const from = prompt.kind === "passphrase" && remembering ? remembering : input.callbacks;
      return await answerPrompt(prompt, from, attempts);
    } catch (error) {
      input.logger.warn({ err: error }, "a question of ssh could not be answered");
      return undefined;
    } finally {
      resume();
    }
  };
}

/** Answers one question for each connection. */
async function listen(
  path: string,
  answer: (question: string) => Promise<string | undefined>,
): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let question = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      question += text;
      if (question.length > MAX_PROMPT_CHARACTERS) socket.destroy();
    });
    socket.on("end", () => {
      answer(question).then(
        (text) => socket.end(text === undefined ? "-" : `+${text}`),
        () => socket.end("-"),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
}
