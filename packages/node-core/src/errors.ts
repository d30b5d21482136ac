/**
 * A failure that a command reports to its caller, who sees `code` and `message`. Anything else that
 * a command throws is reported as `UNAVAILABLE` with its message.
 */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  /** Stable, in capitals; `NodeErrorCode` of `@openclaw/protocol` lists those that peers know. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a node cannot do for the program that embeds it, for code to branch on. */
export type NodeErrorCode =
  /** Two commands have the same name, or one has none. */
  "INVALID_COMMANDS";

/** A failure on this side of the wire. What a command reports to its caller is a {@link CommandError}. */
export class NodeError extends Error {
  override readonly name: string = "NodeError";
  readonly code: NodeErrorCode;

  constructor(code: NodeErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
