import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import {
  DEFAULT_MAX_BUFFERED_BYTES,
  type Splice,
  splice,
  type SpliceOptions,
} from "../../src/forwards/splice.ts";
import { type Carrier, carrierKinds } from "./carriers.ts";
import { exchange } from "./exchange.ts";
import { acceptor, closeOf, dial, digestOf, endOf, readAll, readDigest } from "./tcp.ts";

const CHUNK_BYTES = 64 * 1024;

/** `client` <-> `local` <splice> `remote` <carrier> `far` */
interface Joined extends AsyncDisposable {
  readonly client: Socket;
  readonly local: Socket;
  readonly remote: Duplex;
  readonly far: Socket;
  readonly joined: Splice;
}

async function join(carrier: Carrier, options?: SpliceOptions): Promise<Joined> {
  const near = await acceptor();
  const farSide = await acceptor();
  const client = await dial(near);
  const [local, remote] = await Promise.all([near.next(), carrier.open(farSide.port)]);
  const joined = splice(local, remote, options);
  return {
    client,
    local,
    remote,
    far: await farSide.next(),
    joined,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await near[Symbol.asyncDispose]();
      await farSide[Symbol.asyncDispose]();
    },
  };
}

/** Writes until nothing is taken any more, for as long as the socket lives. */
function flood(socket: Socket): { readonly written: number } {
  const chunk = Buffer.alloc(CHUNK_BYTES, "flood");
  let written = 0;
  const more = (): void => {
    let isWelcome = true;
    while (isWelcome && !socket.destroyed) {
      isWelcome = socket.write(chunk);
      written += chunk.length;
    }
  };
  socket.on("drain", more);
  more();
  return {
    get written() {
      return written;
    },
  };
}

/** Waits until a stream is read no further, and a number stands still for a while. */
async function stalled(stream: Duplex, read: () => number): Promise<void> {
  let before = Number.NaN;
  await vi.waitFor(
    () => {
      const now = read();
      const isStill = now === before && stream.isPaused();
      before = now;
      expect(isStill).toBe(true);
    },
    { interval: 250, timeout: 20_000 },
  );
}

for (const kind of carrierKinds) {
  describe.skipIf(!kind.isAvailable)(`a socket joined to ${kind.name}`, () => {
    test("the local side ends, and the answer still comes", async () => {
      await using carrier = await kind.start();
      await using way = await join(carrier);
      way.client.end("question");
      await expect(readAll(way.far)).resolves.toBe("question");
      way.far.end("answer");
      await expect(readAll(way.client)).resolves.toBe("answer");
      await expect(way.joined.closed).resolves.toEqual({ kind: "ended" });
      expect(way.joined).toMatchObject({ bytesOut: 8, bytesIn: 6 });
      expect(way.local.destroyed).toBe(true);
    });

    test.skipIf(!kind.farMayEndFirst)("the far side ends, and still hears", async () => {
      await using carrier = await kind.start();
      await using way = await join(carrier);
      way.far.end("greeting");
      await expect(readAll(way.client)).resolves.toBe("greeting");
      way.client.end("thanks");
      await expect(readAll(way.far)).resolves.toBe("thanks");
      await expect(way.joined.closed).resolves.toEqual({ kind: "ended" });
    });

    test(
      "100 MB in pieces of any size arrive whole, both ways at once",
      { timeout: 120_000 },
      async () => {
        await using carrier = await kind.start();
        await using way = await join(carrier);
        const bytes = 100_000_000;
        const [out, back] = await Promise.all([
          exchange(way.client, { bytes, seed: 1 }),
          exchange(way.far, { bytes, seed: 2, endsLast: !kind.farMayEndFirst }),
        ]);
        expect(back.received).toEqual(out.sent);
        expect(out.received).toEqual(back.sent);
        await expect(way.joined.closed).resolves.toEqual({ kind: "ended" });
        expect(way.joined).toMatchObject({ bytesOut: bytes, bytesIn: bytes });
      },
    );

    test("a local reset ends the far side too", async () => {
      await using carrier = await kind.start();
      await using way = await join(carrier);
      way.client.write("part of a quest");
      await once(way.far, "data");
      const farEnd = endOf(way.far);
      way.client.resetAndDestroy();
      await expect(way.joined.closed).resolves.toMatchObject({ kind: "reset", by: "local" });
      // SSH has no word for a reset: there the far side sees an end.
      await expect(farEnd).resolves.toMatch(/^(?:ECONNRESET|end|close)$/u);
    });

    test("when the carrier is lost, the local side is reset and never ends as if it were all", async () => {
      await using carrier = await kind.start();
      await using way = await join(carrier);
      way.far.write("part of an answ");
      const [part] = (await once(way.client, "data")) as [Buffer];
      expect(part.toString()).toBe("part of an answ");
      const clientEnd = endOf(way.client);
      carrier.cut();
      await expect(clientEnd).resolves.toBe("ECONNRESET");
      await expect(way.joined.closed).resolves.toMatchObject({ kind: "reset", by: "remote" });
    });

    test("what the far side said before it closed reaches a slow reader whole", async () => {
      await using carrier = await kind.start();
      await using way = await join(carrier);
      way.client.pause();
      const answer = Buffer.alloc(6_000_000, "answer");
      way.far.resume();
      way.far.end(answer);
      await vi.waitFor(() => expect(way.local.writableLength).toBeGreaterThan(0));
      way.client.end();
      await expect(readDigest(way.client)).resolves.toBe(digestOf(answer));
      await way.joined.closed;
    });

    test.skipIf(!kind.deliversAfterClose)(
      "what the local side said before it left reaches a slow far side whole",
      async () => {
        await using carrier = await kind.start();
        await using way = await join(carrier, { maxBufferedBytes: 64_000_000 });
        way.far.pause();
        // More than the systems on the way usually take.
        const words = Buffer.alloc(48_000_000, "words");
        way.client.end(words);
        await once(way.client, "finish");
        way.client.destroy();
        await vi.waitFor(() => expect(way.local.readableEnded).toBe(true));
        // Who speaks to a closed socket learns with the second word that it is closed.
        const localGone = closeOf(way.local);
        way.far.write("still");
        await vi.waitFor(() => expect(way.joined.bytesIn).toBe(5));
        way.far.write("there?");
        await localGone;
        await expect(readDigest(way.far)).resolves.toBe(digestOf(words));
        way.far.end();
        await expect(way.joined.closed).resolves.toMatchObject({ kind: "reset", by: "local" });
      },
    );

    test("a reset from outside ends both at once, also where a reader has stalled", async () => {
      await using carrier = await kind.start();
      await using way = await join(carrier);
      way.client.pause();
      flood(way.far);
      await stalled(way.remote, () => way.joined.bytesIn);
      expect(way.local.writableLength).toBeGreaterThan(0);
      const farEnd = endOf(way.far);
      way.joined.reset();
      await expect(way.joined.closed).resolves.toMatchObject({ kind: "reset", by: "owner" });
      await expect(endOf(way.client)).resolves.toBe("ECONNRESET");
      await expect(farEnd).resolves.toMatch(/^(?:ECONNRESET|EPIPE|end|close)$/u);
      way.joined.reset();
    });

    test("a local reader that stalls stops the far side after a bounded number of bytes", async () => {
      await using carrier = await kind.start();
      await using way = await join(carrier);
      way.client.pause();
      const source = flood(way.far);
      await stalled(way.remote, () => source.written - way.far.writableLength);
      const held = way.remote.readableLength + way.local.writableLength;
      expect(way.local.writableLength).toBeLessThanOrEqual(
        DEFAULT_MAX_BUFFERED_BYTES + CHUNK_BYTES,
      );
      expect(held).toBeGreaterThan(DEFAULT_MAX_BUFFERED_BYTES / 2);
      expect(held).toBeLessThanOrEqual(
        DEFAULT_MAX_BUFFERED_BYTES + CHUNK_BYTES + kind.readAheadBytes,
      );
      // And it was only a pause.
      const { bytesIn } = way.joined;
      way.client.resume();
      await vi.waitFor(() => expect(way.joined.bytesIn).toBeGreaterThan(bytesIn + 20_000_000));
      way.joined.reset();
      await way.joined.closed;
    });

    test("a far reader that stalls stops the local side after a bounded number of bytes", async () => {
      await using carrier = await kind.start();
      await using way = await join(carrier, { maxBufferedBytes: 500_000 });
      way.far.pause();
      const source = flood(way.client);
      await stalled(way.local, () => source.written - way.client.writableLength);
      const held = way.local.readableLength + way.remote.writableLength + carrier.unsentBytes;
      expect(way.remote.writableLength).toBeLessThanOrEqual(500_000 + CHUNK_BYTES);
      expect(held).toBeGreaterThan(250_000);
      expect(held).toBeLessThanOrEqual(500_000 + 3 * CHUNK_BYTES + kind.windowBytes);
      const { bytesOut } = way.joined;
      way.far.resume();
      await vi.waitFor(() => expect(way.joined.bytesOut).toBeGreaterThan(bytesOut + 20_000_000));
      way.joined.reset();
      await way.joined.closed;
    });

    test("a hundred connections that come and go in every way leave nothing behind", async () => {
      await using carrier = await kind.start();
      await using near = await acceptor();
      await using farSide = await acceptor();
      const ways: ((client: Socket, far: Socket, joined: Splice) => void)[] = [
        (client, far) => {
          client.end("a");
          far.resume().end("b");
        },
        (client) => client.resetAndDestroy(),
        (client) => client.destroy(),
        (_client, far) => far.resume().end("b"),
        (_client, _far, joined) => joined.reset(),
        (client, far) => {
          client.end();
          far.resume().resetAndDestroy();
        },
      ];
      for (let round = 0; round < 102; round += 1) {
        /* oxlint-disable no-await-in-loop */
        const client = await dial(near);
        const joined = splice(await near.next(), await carrier.open(farSide.port));
        const far = await farSide.next();
        ways[round % ways.length]?.(client.resume(), far, joined);
        // Whoever hears the end closes, as programs do.
        client.on("end", () => client.end());
        far.on("end", () => far.end());
        await joined.closed;
      }
      const left = (): Promise<number[]> =>
        Promise.all(
          [near, farSide].map(
            ({ server }) =>
              new Promise<number>((resolve) => {
                server.getConnections((_error, count) => resolve(count));
              }),
          ),
        );
      await vi.waitFor(async () => expect(await left()).toEqual([0, 0]));
    });
  });
}

test("a socket that is gone before it is joined ends the other", async () => {
  const [tcp] = carrierKinds;
  await using carrier = (await tcp?.start()) as Carrier;
  await using near = await acceptor();
  await using farSide = await acceptor();

  const client = await dial(near);
  const remote = await carrier.open(farSide.port);
  remote.destroy();
  await closeOf(remote);
  const clientEnd = endOf(client);
  await expect(splice(await near.next(), remote).closed).resolves.toMatchObject({ by: "remote" });
  await expect(clientEnd).resolves.toBe("ECONNRESET");

  await dial(near);
  const local = await near.next();
  local.destroy();
  await closeOf(local);
  const other = await carrier.open(farSide.port);
  await expect(splice(local, other).closed).resolves.toMatchObject({ by: "local" });
  expect(other.destroyed).toBe(true);
});

test("what was read before comes first, and an end that has passed still counts", async () => {
  const [tcp] = carrierKinds;
  await using carrier = (await tcp?.start()) as Carrier;
  await using near = await acceptor();
  await using farSide = await acceptor();
  const client = await dial(near);
  client.end("head");
  const local = await near.next();
  const head: Buffer[] = [];
  local.on("data", (chunk: Buffer) => head.push(chunk));
  await once(local, "end");
  local.removeAllListeners("data");
  splice(local, await carrier.open(farSide.port), { head });
  const far = await farSide.next();
  await expect(readAll(far)).resolves.toBe("head");
  far.end("whole");
  await expect(readAll(client)).resolves.toBe("whole");
});
