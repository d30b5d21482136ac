import utils from "ssh2/lib/protocol/utils.js";
import type { Ssh2Internals } from "./internals.ts";

/** SSH_MSG_IGNORE with an empty string, RFC 4253 section 11.2. */
const IGNORE = Buffer.from([2, 0, 0, 0, 0]);
/** What is larger is bulk, which the system acknowledges by itself. */
const SMALL_BYTES = 8 * 1024;

/**
 * Has small packets of the server arrive at once. OpenSSH leaves Nagle's algorithm on for a connection
 * without a session, and our system acknowledges late what it hopes to acknowledge along with an
 * answer: so what the server sends second can wait 40 ms. Where no answer follows we send one that
 * means nothing: after what nobody answers, such as a larger window, and within a row of messages of
 * which the last was not answered either. A session with a terminal would have the server switch that
 * algorithm off, but a forced command would run for it.
 */
export function lowerLatency(connection: Pick<Ssh2Internals, "protocol" | "socket">): void {
  const { protocol } = connection;
  const handlers = protocol._handlers;
  const theirs = { ...handlers };
  let isLooking = false;
  let isUnanswerable = false;
  let sentBefore = 0;
  let sentAfterLast: number | undefined;

  function arriving(): void {
    if (isLooking) return;
    isLooking = true;
    sentBefore = protocol._cipher.outSeqno;
    setImmediate(look);
  }

  /** When everybody who answers at once has done so. */
  function look(): void {
    const isAnswered = protocol._cipher.outSeqno !== sentBefore;
    const isOneOfMany = sentBefore === sentAfterLast;
    if (!isAnswered && (isUnanswerable || isOneOfMany)) sendNothing(connection);
    isLooking = false;
    isUnanswerable = false;
    sentAfterLast = protocol._cipher.outSeqno;
  }

  handlers.CHANNEL_DATA = (from, recipient, data) => {
    if (data.length < SMALL_BYTES) arriving();
    theirs.CHANNEL_DATA(from, recipient, data);
  };
  handlers.CHANNEL_WINDOW_ADJUST = (from, recipient, amount) => {
    arriving();
    isUnanswerable = true;
    theirs.CHANNEL_WINDOW_ADJUST(from, recipient, amount);
  };
  // The server has let us in, and shows its other host keys next; whatever is asked waits behind them.
  sendNothing(connection);
}

function sendNothing({ protocol, socket }: Pick<Ssh2Internals, "protocol" | "socket">): void {
  // It would wait for the new keys, and be late; and an end may have come since.
  if (protocol._kexinit !== undefined || !socket.writable) return;
  const { write } = protocol._packetRW;
  const start = write.allocStart;
  const packet = write.alloc(IGNORE.length);
  packet.set(IGNORE, start);
  utils.sendPacket(protocol, write.finalize(packet));
}
