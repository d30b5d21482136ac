import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createFaultProxy } from "./fault-proxy.ts";
import type { FaultProxy, ProxyConnection } from "./fault-proxy.ts";
import { createInbox } from "./inbox.ts";

interface Ends {
  client: Socket;
  target: Socket;
  connection: ProxyConnection;
  proxy: FaultProxy;
}

/** A client and a server socket with the proxy between them. */
async function open(): Promise<Ends> {
  const { proxy, targets } = await startProxy();
  const client = dial(proxy);
  const [target, connection] = await Promise.all([targets.next(), proxy.nextConnection()]);
  return { client, target, connection, proxy };
}

async function startProxy() {
  const targets = createInbox<Socket>(() => "socket");
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    targets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const proxy = await createFaultProxy({ target: { host: "127.0.0.1", port } });
  onTestFinished(() => proxy.close());
  return { proxy, targets };
}

function dial(proxy: FaultProxy): Socket {
  const socket = connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Reads until `bytes` have arrived. */
async function read(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size >= bytes) break;
  }
  return Buffer.concat(chunks);
}

test("bytes pass unchanged in both directions", async () => {
  const { client, target, connection } = await open();
  const there = Buffer.alloc(3_000_000, "there");
  const back = Buffer.alloc(2_000_000, "back");

  client.write(there);
  target.write(back);

  expect((await read(target, there.length)).equals(there)).toBe(true);
  expect((await read(client, back.length)).equals(back)).toBe(true);
  expect(connection.toTarget.forwardedBytes).toBe(there.length);
  expect(connection.toClient.forwardedBytes).toBe(back.length);
});

test("a delay holds bytes back and keeps their order under jitter", async () => {
  const { client, target, proxy } = await open();
  proxy.set({ toTarget: { delayMs: 40, jitterMs: 20 } });
  const startedAt = performance.now();
  const text = Array.from({ length: 50 }, (_, index) => `${index};`).join("");

  for (const part of text.split(/(?<=;)/)) client.write(part);

  expect((await read(target, text.length)).toString()).toBe(text);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(39);
});

test("a limited link moves all the time and no faster than its rate", async () => {
  const { client, target, proxy, connection } = await open();
  proxy.set({ toTarget: { bytesPerSecond: 200_000 } });
  const startedAt = performance.now();

  client.write(Buffer.alloc(40_000));
  await read(target, 1);
  expect(connection.toTarget.forwardedBytes).toBeLessThan(40_000);
  await connection.toTarget.forwarded(40_000);

  // 40 kB at 200 kB/s are 200 ms, less the burst of 20 ms.
  expect(performance.now() - startedAt).toBeGreaterThan(170);
});

test("a stalled link pushes back on its sender and loses nothing", async () => {
  const { client, target, connection } = await open();
  connection.set({ toTarget: { flow: "stall" } });
  const size = 64 * 1024 * 1024;

  client.write(Buffer.alloc(size));
  // A round trip the other way: had anything been passed on, it would have happened by now.
  target.write("ready?");
  await read(client, 6);
  expect(client.writableLength).toBeGreaterThan(0);
  expect(connection.toTarget.forwardedBytes).toBe(0);
  connection.toTarget.clear();

  expect(await read(target, size)).toHaveLength(size);
});

test("a black hole swallows bytes, FIN and RST without a sign to either side", async () => {
  const { client, target, connection } = await open();
  const signs: string[] = [];
  for (const sign of ["data", "end", "close"]) target.on(sign, () => signs.push(sign));
  connection.cut("silence");

  client.write("lost");
  await connection.toTarget.received(4);
  client.resetAndDestroy();
  await once(client, "close");
  // The reset has reached the proxy when a later connection is through it.
  await open();

  expect(signs).toEqual([]);
  expect(connection.isOpen).toBe(true);
});

test("a connection is cut after exactly the bytes that were asked for", async () => {
  const { client, target, connection } = await open();
  connection.set({ toTarget: { cutAfterBytes: 1_000, cutWith: "fin" } });

  client.write(Buffer.alloc(5_000));

  expect(await read(target, 5_000)).toHaveLength(1_000);
  await connection.closed;
});

test("a reset reaches both sides as ECONNRESET", async () => {
  const { client, target, connection } = await open();
  const errors = Promise.all([once(client, "error"), once(target, "error")]);

  connection.cut("reset");

  expect(await errors).toMatchObject([[{ code: "ECONNRESET" }], [{ code: "ECONNRESET" }]]);
});

test("a reset by one side reaches the other", async () => {
  const { client, target } = await open();
  const error = once(target, "error");

  client.resetAndDestroy();

  expect(await error).toMatchObject([{ code: "ECONNRESET" }]);
});

test("a reset that met a stalled link is told when the link moves again", async () => {
  const { client, target, connection } = await open();
  connection.set({ toTarget: { flow: "stall" } });
  client.resetAndDestroy();
  await once(client, "close");
  const error = once(target, "error");

  connection.toTarget.clear();
  // A reader that was paused notices the reset only when it reads or writes.
  target.write("x");

  expect(await error).toMatchObject([{ code: "ECONNRESET" }]);
});

test("half-close ends one direction and leaves the other open", async () => {
  const { client, target, connection } = await open();

  connection.toTarget.halfClose();
  expect(await read(target, 1)).toHaveLength(0);
  target.write("still here");

  expect((await read(client, 10)).toString()).toBe("still here");
});

test("an orderly end arrives behind the bytes that came before it", async () => {
  const { client, target, proxy } = await open();
  proxy.set({ toTarget: { delayMs: 20 } });

  client.end("last words");

  expect((await read(target, 100)).toString()).toBe("last words");
});

test("new connections are refused, reset or swallowed as told, and pass again after", async () => {
  const { proxy, targets } = await startProxy();

  await proxy.accept("refuse");
  expect(await once(dial(proxy), "error")).toMatchObject([{ code: "ECONNREFUSED" }]);

  await proxy.accept("reset");
  const reset = dial(proxy);
  reset.resume();
  expect(await once(reset, "error")).toMatchObject([{ code: "ECONNRESET" }]);

  await proxy.accept("blackhole");
  const swallowed = dial(proxy);
  const connection = await proxy.nextConnection();
  swallowed.write("anyone?");
  await connection.toTarget.received(7);
  expect(swallowed.readyState).toBe("open");

  await proxy.accept("pass");
  dial(proxy).write("hello");
  expect((await read(await targets.next(), 5)).toString()).toBe("hello");
});

test("connections go to the new target after retarget", async () => {
  const first = await startProxy();
  const second = await startProxy();

  first.proxy.retarget({ host: second.proxy.host, port: second.proxy.port });
  dial(first.proxy).write("moved");

  expect((await read(await second.targets.next(), 5)).toString()).toBe("moved");
});

test("closing twice gives the first promise and leaves nothing open", async () => {
  const { client, proxy, connection } = await open();
  client.resume();

  const closing = proxy.close();

  expect(proxy.close()).toBe(closing);
  await closing;
  await connection.closed;
  expect(proxy.connections).toEqual([]);
});
