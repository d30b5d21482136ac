import { fstatSync } from "node:fs";
import process from "node:process";

/** What tells whether a supervisor has started this program. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdinIsTTY: boolean;
  readonly parentPid: number;
  /** `device:inode` of a stream of this process, or undefined where it has none. */
  readonly streamId: (descriptor: 1 | 2) => string | undefined;
  /** Label of our own agent, which never starts a program this way. */
  readonly ownLabel: string;
}

/** Those of this process. */
export function processSurroundings(env: Surroundings["env"], ownLabel: string): Surroundings {
  return {
    platform: process.platform,
    env,
    ownLabel,
    stdinIsTTY: process.stdin.isTTY,
    parentPid: process.ppid,
    streamId(descriptor) {
      try {
        const { dev, ino } = fstatSync(descriptor);
        return `${dev}:${ino}`;
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * Whether a supervisor runs this command, as the tutorial's system unit does with `gateway start`.
 * It then has to stay: a supervisor takes the end of the command for the end of the Gateway.
 *
 * A terminal inherits the marks of the session that it was started in, so a mark alone says little.
 */
export function isSupervised(surroundings: Surroundings): boolean {
  const { platform, env, stdinIsTTY, parentPid, streamId, ownLabel } = surroundings;
  if (stdinIsTTY) return false;
  if (platform === "linux") {
    const journal = env["JOURNAL_STREAM"] ?? "";
    const logsToJournal = journal !== "" && [streamId(1), streamId(2)].includes(journal);
    return logsToJournal || ((env["INVOCATION_ID"] ?? "") !== "" && parentPid === 1);
  }
  if (platform !== "darwin") return false;
  const job = env["XPC_SERVICE_NAME"] ?? "";
  // "0" in a terminal, "application.…" in what an app has started.
  return job !== "" && job !== "0" && !job.startsWith("application.") && job !== ownLabel;
}
