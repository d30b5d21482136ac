import type {
  Transport,
  TransportClose,
  TransportListener,
} from "../../src/transport/transport.ts";

/** One end of a pair in memory, with the faults that a line can have. */
export interface LinkedTransport extends Transport {
  /** Nothing arrives here any more and no ping is answered, yet the line stays open. */
  freeze(): void;
  /** Bytes arrive without completing a frame. */
  receivePartly(bytes: number): void;
  /** Pretends that this much waits to be sent. */
  setBuffered(bytes: number): void;
  /** Pretends that the network took this much. */
  write(bytes: number): void;
}

const PONG_BYTES = 2;

/**
 * Two transports that are each other's far side. Frames arrive in later promise jobs, in order, so
 * the fake clock of a test never has to move for them.
 */
export function createLinkedTransports(): [LinkedTransport, LinkedTransport] {
  const near = createEnd();
  const far = createEnd();
  near.join(far);
  far.join(near);
  return [near.transport, far.transport];
}

interface End {
  readonly transport: LinkedTransport;
  join(other: End): void;
  deliver(text: string): void;
  answerPing(): boolean;
  end(close: TransportClose): void;
}

function createEnd(): End {
  let other: End | undefined;
  let listener: TransportListener | undefined;
  let frozen = false;
  let ended = false;
  let bytesRead = 0;
  let bytesWritten = 0;
  let bufferedBytes = 0;

  const later = (job: () => void): void => void Promise.resolve().then(job);

  const end: End = {
    join(otherEnd) {
      other = otherEnd;
    },
    deliver(text) {
      later(() => {
        if (frozen || ended) return;
        bytesRead += text.length;
        listener?.frame(text);
      });
    },
    answerPing: () => !frozen && !ended,
    end(close) {
      later(() => {
        if (ended) return;
        ended = true;
        listener?.closed(close);
      });
    },
    transport: {
      listen(newListener) {
        listener = newListener;
        later(() => {
          if (!ended) newListener.opened();
        });
      },
      send(text) {
        bytesWritten += text.length;
        if (!ended) other?.deliver(text);
      },
      ping() {
        if (other?.answerPing() && !frozen) bytesRead += PONG_BYTES;
      },
      get bytesRead() {
        return bytesRead;
      },
      get bytesWritten() {
        return bytesWritten;
      },
      get bufferedBytes() {
        return bufferedBytes;
      },
      close(code, reason) {
        // A frozen peer does not answer the closing handshake; this side gives up on it.
        other?.end({ code, reason, error: undefined });
        end.end({ code, reason, error: undefined });
      },
      terminate() {
        other?.end({ code: 1006, reason: "", error: undefined });
        end.end({ code: 1006, reason: "", error: undefined });
      },
      freeze() {
        frozen = true;
      },
      receivePartly(bytes) {
        bytesRead += bytes;
      },
      setBuffered(bytes) {
        bufferedBytes = bytes;
      },
      write(bytes) {
        bytesWritten += bytes;
      },
    },
  };
  return end;
}
