import { once } from "node:events";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { CHANNEL_WINDOW_BYTES } from "../../src/engines/ssh2/window-policy.ts";
import { openTunnel } from "../../src/index.ts";
import { type HostileConnection, MESSAGE, socketOf, startHostileServer } from "./hostile-server.ts";

const {
  CHANNEL_CLOSE = 0,
  CHANNEL_DATA = 0,
  CHANNEL_EOF = 0,
  CHANNEL_OPEN = 0,
  CHANNEL_REQUEST = 0,
  GLOBAL_REQUEST = 0,
} = MESSAGE;

function quietly(stream: Duplex): Duplex {
  return stream.on("error", () => {});
}

async function turns(count: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}

test("a request on a channel that wants a reply gets one, so that sshd's ClientAliveInterval finds us alive", async () => {
  const replied = Promise.withResolvers<number>();
  await using server = await startHostileServer((client) => {
    client.on("CHANNEL_FAILURE", (recipient: number) => replied.resolve(recipient));
    client.confirmChannels(({ sender }) => {
      client.send(CHANNEL_REQUEST, sender, "keepalive@openssh.com", true);
    });
  });
  await using tunnel = await openTunnel(server.target, server.options);
  const stream = quietly(await tunnel.connect({ port: 1 }));
  await expect(replied.promise).resolves.toBe(0);
  stream.destroy();
});

test.each([0, 1])(
  "a channel with packets of %i bytes is refused, not filled for ever",
  async (packetSize) => {
    await using server = await startHostileServer((client) => {
      client.confirmChannels(() => {}, { packetSize });
    });
    await using tunnel = await openTunnel(server.target, server.options);
    await expect(tunnel.connect({ port: 1 })).rejects.toMatchObject({ code: "FORWARD_REFUSED" });
  },
);

test("a server may announce packets of any size; none larger than everybody takes is sent", async () => {
  const sizes: number[] = [];
  await using server = await startHostileServer((client) => {
    client.on("CHANNEL_DATA", (_recipient: number, data: Buffer) => sizes.push(data.length));
    client.confirmChannels(() => {}, { packetSize: 2 ** 32 - 1, window: 2 ** 32 - 1 });
  });
  await using tunnel = await openTunnel(server.target, server.options);
  const stream = quietly(await tunnel.connect({ port: 1 }));
  stream.write(Buffer.alloc(100_000));
  await vi.waitFor(() => expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100_000));
  expect(Math.max(...sizes)).toBe(32_768);
  stream.destroy();
});

test("a far side that sends more than the window allows loses the channel, and nothing is kept", async () => {
  const chunk = Buffer.alloc(32_000);
  let stop = false;
  await using server = await startHostileServer((client) => {
    client.on("CHANNEL_CLOSE", () => (stop = true));
    client.confirmChannels(({ sender }) => flood(client, sender));
  });
  function flood(client: HostileConnection, channel: number, left = 2_000): void {
    for (let burst = 0; burst < 20; burst += 1) {
      client.send(CHANNEL_DATA, channel, chunk.length, chunk);
    }
    if (left > 0 && !stop) void setImmediate().then(() => flood(client, channel, left - 20));
  }
  await using tunnel = await openTunnel(server.target, server.options);
  const stream = await tunnel.connect({ port: 1 });
  const [error] = (await once(stream, "error")) as [Error];
  expect(error.message).toContain("window");
  expect(stream.readableLength).toBeLessThan(1.2 * CHANNEL_WINDOW_BYTES);
  expect(tunnel.state.kind).toBe("open");
});

test("a flood of tiny messages that nobody reads is kept in few pieces, and in order", async () => {
  const sent = Array.from({ length: 20_000 }, (_, at) => String(at % 10)).join("");
  await using server = await startHostileServer((client) => {
    client.confirmChannels(({ sender }) => {
      for (const byte of sent) client.send(CHANNEL_DATA, sender, byte);
      client.send(CHANNEL_EOF, sender);
    });
  });
  await using tunnel = await openTunnel(server.target, server.options);
  const stream = quietly(await tunnel.connect({ port: 1 }));
  await vi.waitFor(() => expect(stream.readableLength).toBe(sent.length), { timeout: 10_000 });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "end");
  expect(Buffer.concat(chunks).toString()).toBe(sent);
  expect(chunks.length).toBeLessThan(2_000);
  stream.destroy();
});

test("data and ends that come after the end of a channel are dropped", async () => {
  await using server = await startHostileServer((client) => {
    client.confirmChannels(({ sender }) => {
      client.send(CHANNEL_DATA, sender, "all");
      client.send(CHANNEL_EOF, sender);
      client.send(CHANNEL_DATA, sender, "too late");
      client.send(CHANNEL_EOF, sender);
      client.send(CHANNEL_CLOSE, sender);
      client.send(CHANNEL_CLOSE, sender);
      client.send(CHANNEL_DATA, sender, "much too late");
      client.send(CHANNEL_DATA, 4_711, "for nobody");
    });
  });
  await using tunnel = await openTunnel(server.target, server.options);
  const stream = await tunnel.connect({ port: 1 });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "end");
  expect(Buffer.concat(chunks).toString()).toBe("all");
  expect(tunnel.state.kind).toBe("open");
});

test("a channel that is closed instead of refused fails like one that is refused", async () => {
  await using server = await startHostileServer((client) => {
    client.on("CHANNEL_OPEN", ({ sender }: { sender: number }) => {
      client.send(CHANNEL_CLOSE, sender);
    });
  });
  await using tunnel = await openTunnel(server.target, server.options);
  await expect(tunnel.connect({ port: 1 })).rejects.toMatchObject({ code: "REMOTE_PORT_CLOSED" });
});

test("what was written behind an exhausted window fails when the far side closes the channel", async () => {
  const client = Promise.withResolvers<HostileConnection>();
  await using server = await startHostileServer((one) => {
    one.confirmChannels(() => client.resolve(one), { window: 10 });
  });
  await using tunnel = await openTunnel(server.target, server.options);
  const stream = await tunnel.connect({ port: 1 });
  const failed = once(stream, "error");
  stream.resume();
  stream.end("more than ten bytes");
  (await client.promise).send(CHANNEL_CLOSE, 0);
  expect((await failed)[0]).toMatchObject({ code: "EPIPE" });
});

test("whoever only reads a channel until the far side closes it has nothing to catch", async () => {
  await using server = await startHostileServer((client) => {
    client.confirmChannels(({ sender }) => {
      client.send(CHANNEL_DATA, sender, "all");
      client.send(CHANNEL_CLOSE, sender);
    });
  });
  await using tunnel = await openTunnel(server.target, server.options);
  const stream = await tunnel.connect({ port: 1 });
  const chunks: unknown[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  expect(String(chunks)).toBe("all");
  expect(stream.errored).toBeNull();
});

test("while keys are exchanged a writer waits, however large the window is", async () => {
  const client = Promise.withResolvers<HostileConnection>();
  let received = 0;
  await using server = await startHostileServer((one) => {
    one.on("CHANNEL_DATA", (_recipient: number, data: Buffer) => (received += data.length));
    one.confirmChannels(() => {}, { window: 2 ** 32 - 1 });
    client.resolve(one);
  });
  await using tunnel = await openTunnel(server.target, server.options);
  const stream = quietly(await tunnel.connect({ port: 1 }));
  // The exchange begins, and the server leaves its second message unsaid.
  const { protocol, connection, send } = await client.promise;
  socketOf(connection).pause();
  send(CHANNEL_DATA, 0, "now");
  protocol.rekey();
  await once(stream, "data");
  await turns(20);
  let accepted = 0;
  const chunk = Buffer.alloc(64 * 1024);
  const more = (): void => {
    while (accepted < 64 * 1024 * 1024 && stream.write(chunk)) accepted += chunk.length;
  };
  stream.on("drain", more);
  more();
  await turns(200);
  // What the kernel takes from before the exchange, at most.
  expect(accepted).toBeLessThan(16 * 1024 * 1024);
  socketOf(connection).resume();
  await vi.waitFor(() => expect(received).toBeGreaterThan(8 * 1024 * 1024), { timeout: 10_000 });
  stream.destroy();
});

test("thousands of channels and requests that nobody wants are refused, and the tunnel goes on", async () => {
  let refused = 0;
  await using server = await startHostileServer((client) => {
    client.on("CHANNEL_OPEN_FAILURE", () => (refused += 1));
    client.on("REQUEST_FAILURE", () => (refused += 1));
    client.confirmChannels(({ sender }) => client.send(CHANNEL_DATA, sender, "still here"));
    for (let at = 0; at < 3_000; at += 1) {
      client.send(CHANNEL_OPEN, "auth-agent@openssh.com", at, 1_000, 1_000);
      client.send(CHANNEL_OPEN, "x11", at, 1_000, 1_000, "127.0.0.1", 6_000);
      client.send(CHANNEL_OPEN, "forwarded-tcpip", at, 1_000, 1_000, "h", 1, "h", 2);
      client.send(GLOBAL_REQUEST, "whatever@example.com", true);
    }
  });
  await using tunnel = await openTunnel(server.target, server.options);
  await vi.waitFor(() => expect(refused).toBe(12_000), { timeout: 10_000 });
  const stream = quietly(await tunnel.connect({ port: 1 }));
  expect(String((await once(stream, "data"))[0])).toBe("still here");
  stream.destroy();
});
