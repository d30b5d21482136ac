import type { Logger } from "../logger.ts";

/** What an earlier run has left, when it could not end its children. */
export interface Orphans {
  /** Whether a process is one of them. */
  isOne(pid: number): Promise<boolean>;
}

/**
 * Ends the ssh processes of earlier runs that were killed: those on record whose number, start time
 * and command line are still the same, and whose owner is gone. Nothing else is ever ended.
 */
export async function endOrphans(
  stateDirectory: string | undefined,
  logger: Logger,
): Promise<Orphans | undefined> {
  if (stateDirectory === undefined) return undefined;
  const { isOwnOrphan, reapOrphans } = await import("../engines/system/child-records.ts");
  try {
    for (const { pid, localPorts } of await reapOrphans(stateDirectory)) {
      logger.info({ pid, localPorts }, "ended an ssh process that an earlier run had left");
    }
  } catch (error) {
    // A directory that cannot be read keeps no tunnel from being opened.
    logger.warn({ err: error, stateDirectory }, "cannot look for what an earlier run has left");
  }
  return { isOne: (pid) => isOwnOrphan(stateDirectory, pid) };
}
