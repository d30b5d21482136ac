/** Why a Gateway does not start, what to do, and how the process ends. */
export interface StartRefusal {
  /** Number of the refusal in the documentation, where it has one. */
  id: string;
  message: string;
  hints: readonly string[];
  /** 78 (`EX_CONFIG`) when configuration is in the way, so that a supervisor does not try again. */
  exitCode: 1 | 78;
}

/** Exit code of a start that configuration stands in the way of. */
export const CONFIG_EXIT = 78;
