import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { startProcess } from "@openclaw/testkit";
import { expect, expectTypeOf, onTestFinished, test, vi } from "vitest";
import { type PortHolder, TunnelError } from "../../src/errors.ts";
import type { ForwardSpec } from "../../src/forwards/forward-spec.ts";
import {
  type ForwardListener,
  type ForwardListenerOptions,
  openForwardListener,
} from "../../src/forwards/listener.ts";
import { resolveForward } from "../../src/forwards/parse-forward.ts";
import { silentLogger } from "../../src/logger.ts";
import type { OpenForward } from "../../src/tunnel.ts";
import { acceptor, dial, dialToEnd, digestOf, endOf, readAll, readDigest } from "./tcp.ts";

/** A listener whose connections go to a port of this machine, unless told otherwise. */
function listen(
  spec: ForwardSpec,
  options: Partial<ForwardListenerOptions> = {},
): Promise<ForwardListener> {
  return openForwardListener(resolveForward(spec), {
    connect: (destination) => dial({ port: "port" in destination ? destination.port : 0 }),
    fallbackPort: false,
    logger: silentLogger,
    ...options,
  });
}

function portOf({ local }: Pick<ForwardListener, "local">): number {
  if ("path" in local) throw new Error("it listens on a socket");
  return local.port;
}

/** A listener whose connections wait until the test lets them through. */
async function listenAndWait(options: Partial<ForwardListenerOptions> = {}) {
  const calls: { signal: AbortSignal; settle: PromiseWithResolvers<Duplex> }[] = [];
  const listener = await listen(
    { remotePort: 1 },
    {
      connect: (_destination, { signal }) => {
        const settle = Promise.withResolvers<Duplex>();
        calls.push({ signal, settle });
        signal.addEventListener("abort", () => settle.reject(signal.reason));
        return settle.promise;
      },
      ...options,
    },
  );
  return { listener, calls, [Symbol.asyncDispose]: () => listener.close() };
}

async function take(server: Server, port = 0): Promise<number> {
  server.listen({ port, host: "127.0.0.1" });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

test("a listener is what a tunnel shows of a forward", () => {
  expectTypeOf<ForwardListener>().toExtend<OpenForward>();
});

test("passes connections on, counts them, and keeps the port it got", async () => {
  await using far = await acceptor();
  await using listener = await listen({ remotePort: far.port });
  expect(listener).toMatchObject({
    local: { host: "127.0.0.1", port: expect.any(Number) },
    remote: { host: "127.0.0.1", port: far.port },
    insteadOf: undefined,
  });
  const port = portOf(listener);
  for (let round = 0; round < 3; round += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const client = await dial({ port });
    client.end("question");
    // oxlint-disable-next-line no-await-in-loop
    const served = await far.next();
    // oxlint-disable-next-line no-await-in-loop
    await expect(readAll(served)).resolves.toBe("question");
    expect(listener.connections).toBe(1);
    served.end("answer!");
    // oxlint-disable-next-line no-await-in-loop
    await expect(readAll(client)).resolves.toBe("answer!");
    // oxlint-disable-next-line no-await-in-loop
    await vi.waitFor(() => expect(listener.connections).toBe(0));
  }
  expect(listener).toMatchObject({ accepted: 3, failures: 0, bytesOut: 24, bytesIn: 21 });
  expect(portOf(listener)).toBe(port);
});

test("what a client says while it waits arrives first, and no more than a little of it is read", async () => {
  await using far = await acceptor();
  await using waiting = await listenAndWait();
  const client = await dial({ port: portOf(waiting.listener) });
  const words = Buffer.alloc(20_000_000, "many words ");
  client.end(words);
  await vi.waitFor(() => expect(waiting.listener.waiting).toBe(1));
  // Its kernel took some, and then it has to wait.
  let before = -1;
  await vi.waitFor(
    () => {
      const now = client.writableLength;
      const isStill = now === before;
      before = now;
      expect(isStill).toBe(true);
    },
    { interval: 200 },
  );
  expect(client.writableLength).toBeGreaterThan(0);
  waiting.calls[0]?.settle.resolve(await dial(far));
  const served = await far.next();
  await expect(readDigest(served)).resolves.toBe(digestOf(words));
  served.end("heard");
  await expect(readAll(client)).resolves.toBe("heard");
  expect(waiting.listener).toMatchObject({ waiting: 0, bytesOut: words.length });
});

test("a client that leaves while it waits is waited for no more", async () => {
  await using waiting = await listenAndWait();
  const port = portOf(waiting.listener);
  const resetting = await dial({ port });
  await vi.waitFor(() => expect(waiting.calls).toHaveLength(1));
  resetting.write("never mind");
  resetting.resetAndDestroy();
  await vi.waitFor(() => expect(waiting.calls[0]?.signal.aborted).toBe(true));
  expect(waiting.listener.waiting).toBe(0);

  const closing = await dial({ port });
  await vi.waitFor(() => expect(waiting.calls).toHaveLength(2));
  closing.write("never mind");
  closing.destroy();
  await vi.waitFor(() => expect(waiting.calls[1]?.signal.aborted).toBe(true));
  expect(waiting.listener).toMatchObject({ waiting: 0, accepted: 2, failures: 0 });
});

test("a stream that comes too late for its client is ended", async () => {
  await using far = await acceptor();
  let late: Duplex | undefined;
  const { promise: asked, resolve: ask } = Promise.withResolvers<AbortSignal>();
  const { promise: stream, resolve: provide } = Promise.withResolvers<Duplex>();
  await using listener = await listen(
    { remotePort: 1 },
    {
      connect: (_destination, { signal }) => {
        ask(signal);
        return stream;
      },
    },
  );
  const client = await dial({ port: portOf(listener) });
  const signal = await asked;
  client.resetAndDestroy();
  await vi.waitFor(() => expect(signal.aborted).toBe(true));
  late = await dial(far);
  provide(late);
  await vi.waitFor(() => expect(late.destroyed).toBe(true));
  expect(listener.connections).toBe(0);
});

test("without a way to the far side a connection is reset, and each cause is logged once", async () => {
  const warn = vi.fn();
  const causes = ["REMOTE_PORT_CLOSED", "REMOTE_PORT_CLOSED", "TIMED_OUT", "REMOTE_PORT_CLOSED"];
  const left = [...causes];
  await using listener = await listen(
    { remotePort: 1 },
    {
      connect: () => {
        const code = left.shift() as "TIMED_OUT";
        return Promise.reject(new TunnelError(code, "no way there."));
      },
      logger: { ...silentLogger, warn },
    },
  );
  for (const [index] of causes.entries()) {
    // oxlint-disable-next-line no-await-in-loop
    await expect(dialToEnd(portOf(listener))).resolves.toBe("ECONNRESET");
    expect(listener).toMatchObject({ failures: index + 1, waiting: 0 });
  }
  expect(warn.mock.calls.map(([fields]) => fields)).toMatchObject([
    { code: "REMOTE_PORT_CLOSED" },
    { code: "TIMED_OUT" },
  ]);
});

test("a connection waits no longer than it may, and is reset then", async () => {
  await using waiting = await listenAndWait({ waitTimeoutMs: 50 });
  const client = await dial({ port: portOf(waiting.listener) });
  await expect(endOf(client)).resolves.toBe("ECONNRESET");
  expect(waiting.calls[0]?.signal.reason).toMatchObject({ code: "WAIT_EXPIRED" });
  expect(waiting.listener).toMatchObject({ waiting: 0, failures: 1 });
});

test("when the tunnel is lost, what goes through it is reset, and what waits goes on waiting", async () => {
  await using far = await acceptor();
  await using waiting = await listenAndWait();
  const port = portOf(waiting.listener);
  const joined = await dial({ port });
  await vi.waitFor(() => expect(waiting.calls).toHaveLength(1));
  waiting.calls[0]?.settle.resolve(await dial(far));
  await far.next();
  const patient = await dial({ port });
  await vi.waitFor(() => expect(waiting.listener).toMatchObject({ connections: 1, waiting: 1 }));

  const end = endOf(joined);
  waiting.listener.closeConnections();
  await expect(end).resolves.toBe("ECONNRESET");
  await vi.waitFor(() => expect(waiting.listener).toMatchObject({ connections: 0, waiting: 1 }));

  waiting.calls[1]?.settle.resolve(await dial(far));
  (await far.next()).end("after all");
  await expect(readAll(patient)).resolves.toBe("after all");
  patient.end();
});

test("close() frees the port at once and resets whoever is there", async () => {
  await using far = await acceptor();
  await using waiting = await listenAndWait();
  const { listener, calls } = waiting;
  const port = portOf(listener);
  const ends: Promise<string>[] = [];
  ends.push(endOf(await dial({ port })));
  await vi.waitFor(() => expect(calls).toHaveLength(1));
  calls[0]?.settle.resolve(await dial(far));
  await far.next();
  ends.push(endOf(await dial({ port })));
  await vi.waitFor(() => expect(listener).toMatchObject({ connections: 1, waiting: 1 }));

  const closing = listener.close();
  expect(listener.close()).toBe(closing);
  const successor = createServer();
  await expect(take(successor, port)).resolves.toBe(port);
  await expect(Promise.all(ends)).resolves.toEqual(["ECONNRESET", "ECONNRESET"]);
  await closing;
  expect(calls[1]?.signal.reason).toMatchObject({ code: "CLOSED" });
  await vi.waitFor(() => expect(listener).toMatchObject({ connections: 0, waiting: 0 }));
});

test("a busy port says who holds it and shows another way", async () => {
  const holder: PortHolder = {
    kind: "ssh",
    pid: 4711,
    program: "ssh",
    commandLine: ["ssh", "-N", "box"],
  };
  const asked: unknown[] = [];
  const port = await take(createServer());
  const attempt = listen(
    { localPort: port, remoteHost: "db", remotePort: 5432 },
    {
      findHolder: (...question) => {
        asked.push(question);
        return Promise.resolve(holder);
      },
    },
  );
  await expect(attempt).rejects.toMatchObject({
    code: "LOCAL_PORT_BUSY",
    final: true,
    message: `the local port ${port} on 127.0.0.1 is held by ssh (pid 4711): ssh -N box.`,
    hint: expect.stringMatching(/-L \d+:db:5432/u),
    details: { holder },
  });
  expect(asked).toEqual([[port, "127.0.0.1"]]);
});

test("a busy port of this very process is called another tunnel of ours", async () => {
  const port = await take(createServer());
  await expect(listen({ localPort: port, remotePort: 1 })).rejects.toMatchObject({
    code: "LOCAL_PORT_BUSY",
    details: process.platform === "linux" ? { holder: { kind: "own-tunnel" } } : {},
  });
});

test("a busy port can be replaced by a free one, which is announced", async () => {
  await using far = await acceptor();
  const warn = vi.fn();
  const port = await take(createServer());
  await using listener = await listen(
    { localPort: port, remotePort: far.port },
    { fallbackPort: true, logger: { ...silentLogger, warn } },
  );
  expect(listener.insteadOf).toBe(port);
  expect(portOf(listener)).not.toBe(port);
  expect(warn).toHaveBeenCalledWith(
    { local: listener.local, insteadOf: port },
    expect.stringContaining("busy"),
  );
  const client = await dial({ port: portOf(listener) });
  (await far.next()).end("here");
  await expect(readAll(client)).resolves.toBe("here");
  client.end();
});

test("an address that is not of this machine is refused, never replaced", async () => {
  await expect(
    listen({ localHost: "192.0.2.1", remotePort: 1 }, { fallbackPort: true }),
  ).rejects.toMatchObject({ code: "INVALID_OPTION", hint: expect.stringContaining("127.0.0.1") });
});

test("listens on every address only for the bind address *", async () => {
  await using far = await acceptor();
  await using listener = await listen({ localHost: "*", remotePort: far.port });
  expect(listener.local).toMatchObject({ host: expect.stringMatching(/^(?:::|0\.0\.0\.0)$/u) });
  const client = await dial({ port: portOf(listener) });
  (await far.next()).end("all");
  await expect(readAll(client)).resolves.toBe("all");
  client.end();
});

test("a failure to accept is logged once and is not the end", async () => {
  await using far = await acceptor();
  const warn = vi.fn();
  await using listener = await listen(
    { remotePort: far.port },
    { logger: { ...silentLogger, warn } },
  );
  const server = Promise.withResolvers<Server>();
  const watch = (message: unknown): void => {
    const { socket } = message as { socket: Socket & { server: Server } };
    if (socket.localPort === portOf(listener)) server.resolve(socket.server);
  };
  subscribe("net.server.socket", watch);
  onTestFinished(() => void unsubscribe("net.server.socket", watch));
  const talk = async (): Promise<string> => {
    const client = await dial({ port: portOf(listener) });
    client.end();
    (await far.next()).resume().end("still here");
    return readAll(client);
  };
  await talk();
  const accepting = await server.promise;
  for (let round = 0; round < 3; round += 1) {
    const error = Object.assign(new Error("accept EMFILE"), { code: "EMFILE" });
    accepting.emit("error", error);
  }
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.lastCall?.[0]).toMatchObject({ code: "EMFILE" });
  await expect(talk()).resolves.toBe("still here");
});

test("too many open files end no listener: those that fit are served, and later ones again", async () => {
  await using far = await acceptor();
  await using program = startProcess("/bin/sh", [
    ...["-c", 'ulimit -n 64; exec "$0" "$@"', process.execPath],
    ...["--conditions=@openclaw/source", "--disable-warning=ExperimentalWarning"],
    ...[fileURLToPath(new URL("forward-program.ts", import.meta.url)), String(far.port)],
  ]);
  const [, port] = await program.line(/^listening (\d+)$/u, { deadlineMs: 20_000 });
  const clients: Socket[] = [];
  for (let count = 0; count < 150; count += 1) {
    const client = connect({ port: Number(port), host: "127.0.0.1" });
    client.on("error", () => {});
    client.resume();
    clients.push(client);
  }
  // Some get through, and some are turned away.
  await far.next();
  await vi.waitFor(() => expect(clients.filter(({ closed }) => closed).length).toBeGreaterThan(50));
  for (const client of clients) client.destroy();
  await vi.waitFor(async () => {
    const client = await dial({ port: Number(port) });
    const end = endOf(client);
    client.write("anybody there?");
    const served = await Promise.race([far.next(), end]);
    expect(served).toHaveProperty("remotePort");
    client.destroy();
  });
  expect(program.isRunning).toBe(true);
  const warnings = program.lines.filter(({ text }) => text.startsWith("warning "));
  expect(warnings.length).toBeLessThan(5);
  expect(program.stderr).toBe("");
});
