import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { TunnelError } from "../../../errors.ts";

/** Which OpenSSH a program is. */
export interface SshVersion {
  /** For people, e.g. `OpenSSH_9.2p1`. */
  readonly text: string;
  readonly major: number;
  readonly minor: number;
}

const PATTERN = /^(OpenSSH(?:_for_Windows)?_(\d+)\.(\d+)\S*?),?(?:\s|$)/mu;
/** `accept-new` came with it, and sharing a connection as this engine does a little before. */
const OLDEST = { major: 7, minor: 6 } as const;

/**
 * Asks a program for its version.
 *
 * @throws {@link TunnelError} `ENGINE_MISSING` when it cannot be started, is another SSH client than
 * OpenSSH, or is too old
 */
export async function askSshVersion(
  program: string,
  env: Readonly<Record<string, string>>,
): Promise<SshVersion> {
  let output = "";
  try {
    const answer = await promisify(execFile)(program, ["-V"], {
      env,
      encoding: "utf8",
      timeout: 10_000,
      windowsHide: true,
    });
    output = answer.stderr + answer.stdout;
  } catch (cause) {
    throw missing(program, "cannot be started", cause);
  }
  const version = parseSshVersion(output);
  if (version === undefined) throw missing(program, "is no OpenSSH");
  if (!isAtLeast(version, OLDEST)) throw missing(program, `is ${version.text}, which is too old`);
  return version;
}

/** Reads what `ssh -V` prints; undefined when it is not OpenSSH. */
export function parseSshVersion(output: string): SshVersion | undefined {
  const [, text, major, minor] = PATTERN.exec(output) ?? [];
  if (text === undefined) return undefined;
  return { text, major: Number(major), minor: Number(minor) };
}

export function isAtLeast(
  version: Pick<SshVersion, "major" | "minor">,
  { major, minor }: { readonly major: number; readonly minor: number },
): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

function missing(program: string, why: string, cause?: unknown): TunnelError {
  return new TunnelError("ENGINE_MISSING", `${program} ${why}.`, {
    cause,
    hint: `Install an OpenSSH client, ${OLDEST.major}.${OLDEST.minor} or later.`,
  });
}
