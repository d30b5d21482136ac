import { Duplex, duplexPair } from "node:stream";
import type { Server } from "node:http";
import type { DialAddress, DialFunction } from "../../src/index.ts";

/** Dials that lead, without a port, into an http server of this process. */
export interface StreamCarrier {
  readonly dial: DialFunction;
  readonly dialled: DialAddress[];
  /** The client's ends, in the order of the dials. */
  readonly near: Duplex[];
  readonly far: Duplex[];
}

/** @param pair two streams, each of which is the other's far end */
export function carrierInto(server: Server, pair: () => Duplex[] = duplexPair): StreamCarrier {
  const dialled: DialAddress[] = [];
  const near: Duplex[] = [];
  const far: Duplex[] = [];
  return {
    dialled,
    near,
    far,
    dial(address) {
      dialled.push(address);
      // A pair has two ends.
      const [here, there] = pair() as [Duplex, Duplex];
      near.push(here);
      far.push(there);
      // As on a socket: the end of one side that goes is the end of the other.
      here.once("close", () => there.destroy());
      there.once("close", () => here.destroy());
      there.on("error", () => {});
      server.emit("connection", there);
      return Promise.resolve(here);
    },
  };
}

/** Like a network: what is written in one turn arrives as one chunk. */
export function coalescingPair(): Duplex[] {
  const ends = [0, 1].map((index) => {
    let waiting: Buffer[] = [];
    const flush = (): void => {
      ends[1 - index]?.push(Buffer.concat(waiting));
      waiting = [];
    };
    return new Duplex({
      read() {},
      write(chunk: Buffer, _, done) {
        if (waiting.push(chunk) === 1) setImmediate(flush);
        done();
      },
      final(done) {
        setImmediate(() => ends[1 - index]?.push(null));
        done();
      },
    });
  });
  return ends;
}
