import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { hasSshd, sshTestRig, temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { CHANNEL_WINDOW_BYTES } from "../../src/engines/ssh2/window-policy.ts";
import { cryptography } from "../../src/engines/ssh2/tune-ciphers.ts";
import { connectedClient } from "./connected-client.ts";

/** Listens on the far side, and hands over each connection. */
async function farSide(
  connected: (socket: Socket) => void,
  place: { path: string } | { port: 0; host: string } = { port: 0, host: "127.0.0.1" },
): Promise<{ server: Server; port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    connected(socket);
  });
  server.listen(place);
  await once(server, "listening");
  return {
    server,
    port: "port" in place ? (server.address() as AddressInfo).port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const toPort = (port: number): { host: string; port: number } => ({ host: "127.0.0.1", port });

describe.skipIf(!hasSshd)("channels to a real OpenSSH server", () => {
  test.each([
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    ...(cryptography === "native" ? [] : ["chacha20-poly1305@openssh.com"]),
    "aes128-ctr",
  ])(
    "64 MiB in odd pieces arrive whole both ways at once, through many key exchanges (%s)",
    { timeout: 60_000 },
    async (cipher) => {
      await using rig = await sshTestRig({ server: { config: ["RekeyLimit 4M"] } });
      const total = 32 * 1024 * 1024;
      const sent = randomBytes(1_000_003);
      await using far = await farSide((socket) => void pipeline(socket, socket).catch(() => {}));
      await using connected = await connectedClient(rig, { cipher });
      const channel = await connected.channels.open(toPort(far.port), undefined);
      const ours = createHash("sha256");
      const theirs = createHash("sha256");
      let received = 0;
      channel.on("data", (data: Buffer) => {
        received += data.length;
        theirs.update(data);
      });
      let bytes = 0;
      for (let piece = 1; bytes < total; piece = (piece * 7 + 3) % sent.length) {
        const data = sent.subarray(0, Math.min(piece + 1, total - bytes));
        bytes += data.length;
        ours.update(data);
        // oxlint-disable-next-line no-await-in-loop
        if (!channel.write(data)) await once(channel, "drain");
      }
      channel.end();
      await once(channel, "end");
      expect(received).toBe(total);
      expect(theirs.digest("hex")).toBe(ours.digest("hex"));
      expect(connected.handshakes).toBeGreaterThan(4);
    },
  );

  test("the end of one direction passes on, and the other goes on", async () => {
    await using rig = await sshTestRig();
    await using far = await farSide((socket) => {
      void readAll(socket).then((received) => socket.end(`got ${received.toString()}`));
    });
    await using connected = await connectedClient(rig);
    const channel = await connected.channels.open(toPort(far.port), undefined);
    channel.end("question");
    expect((await readAll(channel)).toString()).toBe("got question");
    await vi.waitFor(() => expect(connected.channels.count).toBe(0));

    await using talker = await farSide((socket) => {
      socket.end("first");
      void readAll(socket).then((received) => talked.resolve(received.toString()));
    });
    const talked = Promise.withResolvers<string>();
    const other = await connected.channels.open(toPort(talker.port), undefined);
    expect((await readAll(other)).toString()).toBe("first");
    other.end("last word");
    await expect(talked.promise).resolves.toBe("last word");
  });

  test("whoever does not read stops the far side after the window and one buffer", async () => {
    await using rig = await sshTestRig();
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    await using far = await farSide((socket) => {
      const more = (): void => {
        while (socket.write(chunk)) written += chunk.length;
        written += chunk.length;
      };
      socket.on("drain", more);
      more();
    });
    await using connected = await connectedClient(rig);
    const channel = await connected.channels.open(toPort(far.port), undefined);
    await vi.waitFor(() => expect(channel.readableLength).toBeGreaterThan(1_000_000));
    // Until nothing moves any more: what the far side has written rests in its kernel and its sshd.
    let before = -1;
    await vi.waitFor(
      () => {
        const isStill = written === before;
        before = written;
        expect(isStill).toBe(true);
      },
      { interval: 300, timeout: 20_000 },
    );
    expect(channel.readableLength).toBeLessThanOrEqual(CHANNEL_WINDOW_BYTES + 512 * 1024);
    const atRest = written;
    channel.on("data", () => {});
    await vi.waitFor(() => expect(written).toBeGreaterThan(atRest + 4 * CHANNEL_WINDOW_BYTES));
    channel.destroy();
  });

  test("a far side that does not read stops the writer", async () => {
    await using rig = await sshTestRig();
    await using far = await farSide((socket) => void socket.pause());
    await using connected = await connectedClient(rig);
    const channel = await connected.channels.open(toPort(far.port), undefined);
    const chunk = Buffer.alloc(64 * 1024);
    let accepted = 0;
    const writeAll = (): void => {
      while (channel.write(chunk)) accepted += chunk.length;
    };
    channel.on("drain", writeAll);
    writeAll();
    let before = -1;
    await vi.waitFor(
      () => {
        const isStill = accepted === before;
        before = accepted;
        expect(isStill).toBe(true);
      },
      { interval: 300, timeout: 20_000 },
    );
    expect(channel.writableLength).toBeLessThanOrEqual(512 * 1024);
    channel.destroy();
  });

  test("a closed port and a forbidden one are told apart", async () => {
    await using rig = await sshTestRig({ server: { config: ["PermitOpen 127.0.0.1:1"] } });
    await using connected = await connectedClient(rig);
    await expect(connected.channels.open(toPort(1), undefined)).rejects.toMatchObject({
      code: "REMOTE_PORT_CLOSED",
      final: false,
    });
    await expect(connected.channels.open(toPort(2), undefined)).rejects.toMatchObject({
      code: "FORWARD_REFUSED",
      final: true,
    });
  });

  test("a Unix socket of the far side is reached by its path", async () => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const socketPath = directory.file("far.sock");
    await using _far = await farSide((socket) => socket.end("hello"), { path: socketPath });
    await using connected = await connectedClient(rig);
    const channel = await connected.channels.open({ socketPath }, undefined);
    expect((await readAll(channel)).toString()).toBe("hello");
    channel.destroy();
    await expect(
      connected.channels.open({ socketPath: directory.file("no.sock") }, undefined),
    ).rejects.toMatchObject({ code: "REMOTE_PORT_CLOSED" });
  });

  test("given up while being opened, a channel is closed when it comes, and the number is free again", async () => {
    await using rig = await sshTestRig();
    const gone = Promise.withResolvers<void>();
    await using far = await farSide((socket) => {
      socket.resume();
      socket.once("close", () => gone.resolve());
      socket.once("end", () => socket.end());
    });
    await using connected = await connectedClient(rig);
    const controller = new AbortController();
    const opening = connected.channels.open(toPort(far.port), controller.signal);
    controller.abort(new Error("changed my mind"));
    await expect(opening).rejects.toThrow("changed my mind");
    await gone.promise;
    await vi.waitFor(() => expect(connected.channels.count).toBe(0));
  });

  test("when the connection is cut, every channel ends with the cause, and every opening fails", async () => {
    await using rig = await sshTestRig();
    await using far = await farSide(() => {});
    const connected = await connectedClient(rig);
    const channels = await Promise.all(
      Array.from({ length: 20 }, () => connected.channels.open(toPort(far.port), undefined)),
    );
    const errors = channels.map(async (channel) => (await once(channel, "error"))[0] as Error);
    const opening = connected.channels.open(toPort(far.port), undefined);
    opening.catch(() => {});
    connected.client.destroy();
    for (const error of await Promise.all(errors)) {
      expect(error).toMatchObject({ code: "CONNECTION_LOST" });
    }
    await expect(opening).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    expect(connected.channels.count).toBe(0);
  });

  test("an aborted channel resets nothing else", async () => {
    await using rig = await sshTestRig();
    await using far = await farSide((socket) => void pipeline(socket, socket).catch(() => {}));
    await using connected = await connectedClient(rig);
    const kept = await connected.channels.open(toPort(far.port), undefined);
    for (let round = 0; round < 50; round += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const channel = await connected.channels.open(toPort(far.port), undefined);
      channel.write(randomBytes(100_000));
      // oxlint-disable-next-line no-await-in-loop
      if (round % 3 === 0) await setImmediate();
      channel.destroy();
    }
    kept.end("still here");
    expect((await readAll(kept)).toString()).toBe("still here");
    await vi.waitFor(() => expect(connected.channels.count).toBe(0));
  });
});
