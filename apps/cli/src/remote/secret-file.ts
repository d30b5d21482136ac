import { readFile } from "node:fs/promises";
import { messageOf } from "@openclaw/app-kit";
import { usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";

/** More than a secret has. */
const MAX_BYTES = 4_096;

/**
 * A secret from a file, or with `-` from stdin: what stands on a command line is seen by everybody
 * on the machine, and kept by the shell.
 *
 * @throws {CliError} `cli_error` when it cannot be read, is empty or has more than one line
 */
export async function readSecret(
  context: CommandContext,
  option: string,
): Promise<string | undefined> {
  const path = context.text(option);
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = path === "-" ? await readStdin(context) : await readFile(path, "utf8");
  } catch (error) {
    throw usageError(`--${option} cannot be read: ${messageOf(error)}`);
  }
  const secret = text.replace(/\r?\n$/u, "");
  if (secret === "" || secret.length > MAX_BYTES || /[\p{C}]/u.test(secret)) {
    throw usageError(`--${option} must hold the secret and nothing else, on one line.`);
  }
  // In a config file `${NAME}` is a reference.
  return secret.replaceAll("${", () => "$${");
}

async function readStdin({ io }: CommandContext): Promise<string> {
  let text = "";
  for await (const chunk of io.stdin?.() ?? []) {
    text += String(chunk);
    if (text.length > MAX_BYTES) break;
  }
  return text;
}
