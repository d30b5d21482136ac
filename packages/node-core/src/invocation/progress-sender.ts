import { MAX_PROGRESS_CHUNK_CHARS } from "@openclaw/protocol";
import { splitChunks } from "./split-chunks.ts";

/** Live output of one invocation: numbered pieces, sent in order and without gaps. */
export interface ProgressSender {
  /** Queues a text. @returns false if it was dropped, because too much is waiting */
  send(text: string): boolean;
  /** The connection is gone: waits, and keeps what was not acknowledged. */
  pause(): void;
  /** There is a connection again: sends what was not acknowledged, with the same numbers. */
  resume(): void;
  /** Sends all that is waiting, whatever the window says. */
  flush(): void;
  end(): void;
}

/**
 * Sends one numbered piece. Resolves to `accepted`; to `lost` if the connection broke, so that it has
 * to be sent again; to `unwanted` if nobody waits for more.
 */
export type SendPiece = (seq: number, chunk: string) => Promise<"accepted" | "lost" | "unwanted">;

/** Pieces on their way that no answer has come for. */
const WINDOW = 32;

// Pieces that may wait; a command that writes single characters would otherwise queue a million.
const MAX_WAITING_PIECES = 4_096;

/** Characters that may wait for the window or for a connection, in all pieces of one invocation. */
export const MAX_WAITING_PROGRESS_CHARS = 1_048_576;

interface Piece {
  seq: number;
  chunk: string;
  isSent: boolean;
}

export function createProgressSender(sendPiece: SendPiece): ProgressSender {
  // Unacknowledged pieces, oldest first; the sent ones are in front.
  let pieces: Piece[] = [];
  let waitingChars = 0;
  let nextSeq = 0;
  let isPaused = false;
  let isEnded = false;
  // Counts connections, so that a late failure on an old one says nothing about the new one.
  let epoch = 0;

  function pump(window: number): void {
    if (isPaused || isEnded) return;
    let inFlight = 0;
    for (const piece of pieces) {
      if (inFlight >= window) return;
      inFlight += 1;
      if (!piece.isSent) void transmit(piece);
    }
  }

  async function transmit(piece: Piece): Promise<void> {
    piece.isSent = true;
    const sentIn = epoch;
    const result = await sendPiece(piece.seq, piece.chunk);
    if (isEnded || (result === "lost" && sentIn !== epoch)) return;
    if (result === "unwanted") return end();
    if (result === "lost") {
      // Whoever notices the new connection calls resume().
      piece.isSent = false;
      isPaused = true;
      return;
    }
    pieces = pieces.filter((each) => each !== piece);
    waitingChars -= piece.chunk.length;
    pump(WINDOW);
  }

  function end(): void {
    isEnded = true;
    pieces = [];
    waitingChars = 0;
  }

  return {
    send(text) {
      if (isEnded || pieces.length >= MAX_WAITING_PIECES) return false;
      if (waitingChars + text.length > MAX_WAITING_PROGRESS_CHARS) return false;
      for (const chunk of splitChunks(text, MAX_PROGRESS_CHUNK_CHARS)) {
        pieces.push({ seq: nextSeq, chunk, isSent: false });
        nextSeq += 1;
        waitingChars += chunk.length;
      }
      pump(WINDOW);
      return true;
    },
    pause() {
      isPaused = true;
    },
    resume() {
      if (isEnded || !isPaused) return;
      isPaused = false;
      epoch += 1;
      for (const piece of pieces) piece.isSent = false;
      pump(WINDOW);
    },
    flush() {
      pump(Number.POSITIVE_INFINITY);
    },
    end,
  };
}
