import process from "node:process";

/** How often a group is looked for that was told to end. */
const POLL_MS = 10;
/** After SIGKILL a process is as good as gone; its entry may wait for a parent that does not look. */
const KILL_PATIENCE_MS = 200;

export interface EndGroupOptions {
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Whether the process is the same as before; asked while waiting, and before SIGKILL. */
  readonly isStillThere: () => boolean | Promise<boolean>;
}

/** Ends a process and, where it leads one, its group: SIGTERM, then SIGKILL. */
export async function endGroup(
  { pid, groupId }: { readonly pid: number; readonly groupId: number },
  { graceMs, isStillThere }: EndGroupOptions,
): Promise<void> {
  const target = groupId === pid ? -pid : pid;
  const until = async (deadlineAt: number): Promise<boolean> => {
    // Looks again after each pause.
    // oxlint-disable no-await-in-loop
    while (performance.now() < deadlineAt) {
      if (!(await isStillThere())) return true;
      await pause(POLL_MS);
    }
    // oxlint-enable no-await-in-loop
    return !(await isStillThere());
  };
  send(target, "SIGTERM");
  if (await until(performance.now() + graceMs)) {
    // The leader is gone; what it had started may not be. Its number stays taken as long as that is so.
    if (target < 0) send(target, "SIGKILL");
    return;
  }
  send(target, "SIGKILL");
  await until(performance.now() + KILL_PATIENCE_MS);
}

/** Signals a process, or with a negative number its group; false when there is none. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // It has ended in the meantime.
    return false;
  }
}

/** Resolves when no process of a group is left, or after a short patience. */
export async function groupIsGone(groupId: number): Promise<void> {
  const deadlineAt = performance.now() + KILL_PATIENCE_MS;
  // Looks again after each pause.
  // oxlint-disable-next-line no-await-in-loop
  while (send(-groupId, 0) && performance.now() < deadlineAt) await pause(POLL_MS);
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
