import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { ChannelHandlers, Protocol } from "./internals.ts";
import { lowerLatency } from "./low-latency.ts";

const IGNORE = Buffer.from([2, 0, 0, 0, 0]);

/** As much of ssh2's protocol as it takes, and what was sent. */
function connection(kexinit?: Buffer): {
  protocol: Protocol;
  socket: PassThrough;
  sent: Buffer[];
  heard: string[];
} {
  const sent: Buffer[] = [];
  const heard: string[] = [];
  const hear = (what: string) => (): void => void heard.push(what);
  const handlers: Partial<ChannelHandlers> = {
    CHANNEL_DATA: hear("data"),
    CHANNEL_WINDOW_ADJUST: hear("adjust"),
  };
  const cipher = {
    outSeqno: 3,
    encrypt(packet: Buffer): void {
      sent.push(packet);
      cipher.outSeqno += 1;
    },
  };
  const protocol = {
    _handlers: handlers,
    _kexinit: kexinit,
    _cipher: cipher,
    _packetRW: {
      write: {
        allocStart: 0,
        alloc: (bytes: number) => Buffer.alloc(bytes),
        finalize: (packet: Buffer) => packet,
      },
    },
  };
  return { protocol: protocol as unknown as Protocol, socket: new PassThrough(), sent, heard };
}

/** One that is quiet again after its beginning. */
function settled(): ReturnType<typeof connection> {
  const made = connection();
  lowerLatency(made);
  made.sent.length = 0;
  // Somebody has asked for something since.
  made.protocol._cipher.outSeqno += 1;
  return made;
}

test("what the server says first is acknowledged, before anything is asked", () => {
  const { protocol, socket, sent } = connection();
  lowerLatency({ protocol, socket });
  expect(sent).toEqual([IGNORE]);
});

test("a larger window, which nobody answers, is acknowledged once", async () => {
  const { protocol, sent, heard } = settled();
  protocol._handlers.CHANNEL_WINDOW_ADJUST(protocol, 0, 1_000);
  protocol._handlers.CHANNEL_WINDOW_ADJUST(protocol, 1, 1_000);
  await setImmediate();
  expect(sent).toEqual([IGNORE]);
  expect(heard).toEqual(["adjust", "adjust"]);
});

test("an answer is acknowledgement enough", async () => {
  const { protocol, sent, heard } = settled();
  protocol._handlers.CHANNEL_WINDOW_ADJUST(protocol, 0, 1_000);
  protocol._handlers.CHANNEL_DATA(protocol, 0, Buffer.from("question"));
  protocol._cipher.outSeqno += 1;
  await setImmediate();
  expect(sent).toEqual([]);
  expect(heard).toEqual(["adjust", "data"]);
});

test("in a dialogue nothing is added, however late the answers are", async () => {
  const { protocol, sent } = settled();
  for (let round = 0; round < 3; round += 1) {
    protocol._handlers.CHANNEL_DATA(protocol, 0, Buffer.from("question"));
    // oxlint-disable-next-line no-await-in-loop
    await setImmediate();
    protocol._cipher.outSeqno += 1;
  }
  expect(sent).toEqual([]);
});

test("in a row of messages each is acknowledged from the second on", async () => {
  const { protocol, sent } = settled();
  for (let round = 0; round < 4; round += 1) {
    protocol._handlers.CHANNEL_DATA(protocol, 0, Buffer.from("news"));
    // oxlint-disable-next-line no-await-in-loop
    await setImmediate();
  }
  expect(sent).toEqual([IGNORE, IGNORE, IGNORE]);
});

test("bulk is left to the system", async () => {
  const { protocol, sent, heard } = settled();
  for (let round = 0; round < 4; round += 1) {
    protocol._handlers.CHANNEL_DATA(protocol, 0, Buffer.alloc(32_768));
    // oxlint-disable-next-line no-await-in-loop
    await setImmediate();
  }
  expect(sent).toEqual([]);
  expect(heard).toHaveLength(4);
});

test("while keys are exchanged nothing is added", async () => {
  const { protocol, socket, sent } = connection(Buffer.from("a key exchange"));
  lowerLatency({ protocol, socket });
  protocol._handlers.CHANNEL_WINDOW_ADJUST(protocol, 0, 1_000);
  await setImmediate();
  expect(sent).toEqual([]);
});

test("after the end nothing is added", async () => {
  const { protocol, socket, sent } = settled();
  protocol._handlers.CHANNEL_WINDOW_ADJUST(protocol, 0, 1_000);
  socket.destroy();
  await setImmediate();
  expect(sent).toEqual([]);
});
