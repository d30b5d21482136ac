import { duplexPair } from "node:stream";
import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import type { DialAddress, DialFunction } from "../../src/index.ts";

/** Dials that lead, without a port, into an http server of this process. */
export interface StreamCarrier {
  readonly dial: DialFunction;
  readonly dialled: DialAddress[];
  /** The client's ends, in the order of the dials. */
  readonly near: Duplex[];
  readonly far: Duplex[];
}

export function carrierInto(server: Server): StreamCarrier {
  const dialled: DialAddress[] = [];
  const near: Duplex[] = [];
  const far: Duplex[] = [];
  return {
    dialled,
    near,
    far,
    dial(address) {
      dialled.push(address);
      const [here, there] = duplexPair();
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
