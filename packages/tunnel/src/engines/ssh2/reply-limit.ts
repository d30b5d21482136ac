import { TunnelError } from "../../errors.ts";
import type { Ssh2Internals } from "./internals.ts";

/** No server asks so often between two moments at which the line is clear; each answer takes memory. */
const MAX_UNSENT_REPLIES = 10_000;
/** What we answer without anybody here having a say. */
const ASKED = ["GLOBAL_REQUEST", "CHANNEL_OPEN", "CHANNEL_REQUEST"] as const;

type Handlers = Record<(typeof ASKED)[number], (...message: unknown[]) => void>;

/** Ends the connection to a server that asks and asks, and does not take the answers. */
export function limitReplies({ protocol, socket }: Ssh2Internals): void {
  const handlers = protocol._handlers as unknown as Handlers;
  let unsent = 0;
  for (const name of ASKED) {
    const answer = handlers[name];
    handlers[name] = (...message) => {
      unsent = socket.writableLength === 0 ? 0 : unsent + 1;
      if (unsent <= MAX_UNSENT_REPLIES) answer(...message);
      else socket.destroy(tooManyQuestions());
    };
  }
}

function tooManyQuestions(): TunnelError {
  return new TunnelError(
    "CONNECTION_LOST",
    "the SSH server asks without end and does not take the answers.",
  );
}
