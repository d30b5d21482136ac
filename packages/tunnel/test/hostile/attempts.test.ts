import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { temporaryDirectory } from "@openclaw/testkit";
import ssh2 from "ssh2";
import { expect, test, vi } from "vitest";
import { keepGreetingWhole } from "../../src/engines/ssh2/greeting.ts";
import {
  createTunnel,
  openTunnel,
  type ShownHostKey,
  type TunnelOptions,
} from "../../src/index.ts";
import { type HostileConnection, MESSAGE, socketOf, startHostileServer } from "./hostile-server.ts";

const { DISCONNECT = 0, CHANNEL_OPEN_FAILURE = 0, USERAUTH_FAILURE = 0 } = MESSAGE;
const ESCAPE = "\u001b[2J\u001b]0;owned\u0007";

interface Listening extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly accepted: number;
}

async function listen(
  place: { port: 0; host: string } | { path: string },
  connected: (socket: Socket) => void,
): Promise<Listening> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    connected(socket);
  });
  server.listen(place);
  await once(server, "listening");
  return {
    server,
    port: "port" in place ? (server.address() as AddressInfo).port : 0,
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** An agent that takes questions and never answers, and what is needed to ask it. */
async function silentAgent(): Promise<
  AsyncDisposable & { options: TunnelOptions; asked: () => number }
> {
  const directory = await temporaryDirectory();
  const path = directory.file("agent.sock");
  const agent = await listen({ path }, (socket) => socket.resume());
  return {
    options: {
      sshConfig: false,
      engine: "ssh2",
      env: { HOME: directory.path, SSH_AUTH_SOCK: path, PATH: process.env["PATH"] },
    },
    asked: () => agent.accepted,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test("a connection that is reset while the agent is still being asked fails the attempt, and nothing else", async () => {
  await using agent = await silentAgent();
  let victim: Socket | undefined;
  await using server = await listen({ port: 0, host: "127.0.0.1" }, (socket) => (victim = socket));
  const failed = openTunnel(`somebody@127.0.0.1:${server.port}`, agent.options).catch(
    (error: unknown) => error,
  );
  await vi.waitFor(() => expect([server.accepted, agent.asked()]).toEqual([1, 1]), {
    timeout: 5_000,
  });
  const resetAt = performance.now();
  victim?.resetAndDestroy();
  expect(await failed).toMatchObject({ code: "CONNECTION_LOST", final: false });
  expect(performance.now() - resetAt).toBeLessThan(1_000);
});

test("close() does not wait for an agent that does not answer", async () => {
  await using agent = await silentAgent();
  await using server = await listen({ port: 0, host: "127.0.0.1" }, (socket) => socket.resume());
  const tunnel = createTunnel(`somebody@127.0.0.1:${server.port}`, agent.options);
  await vi.waitFor(() => expect([server.accepted, agent.asked()]).toEqual([1, 1]), {
    timeout: 5_000,
  });
  const startedAt = performance.now();
  await tunnel.close();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test("a new host key is told once, however often keys are exchanged", async () => {
  const client = Promise.withResolvers<HostileConnection>();
  let handshakes = 0;
  await using server = await startHostileServer((one) => {
    one.connection.on("rekey", () => (handshakes += 1));
    client.resolve(one);
  });
  const { hostKeyFingerprint: _, ...options } = server.options;
  const told: ShownHostKey[] = [];
  await using _tunnel = await openTunnel(server.target, {
    ...options,
    hostKeyPolicy: "accept-new",
    onNewHostKey: (key) => {
      told.push(key);
      throw new Error("a listener with a mistake");
    },
  });
  (await client.promise).protocol.rekey();
  await vi.waitFor(() => expect(handshakes).toBe(1));
  expect(told).toMatchObject([{ fingerprint: server.fingerprint }]);
});

test("a connection that ends while its host key is being recorded fails the attempt, and nothing else", async () => {
  await using server = await startHostileServer(() => {});
  const { hostKeyFingerprint: _, knownHosts = "", ...options } = server.options;
  // Somebody else writes to the file.
  const lock = `${knownHosts}.lock`;
  await writeFile(lock, "");
  const lost = vi.fn(() => {});
  await using tunnel = createTunnel(server.target, {
    ...options,
    knownHosts,
    hostKeyPolicy: "accept-new",
    reconnect: false,
  });
  void tunnel.closed.then(lost);
  await server.shownHostKey();
  server.dropAll();
  await vi.waitFor(() =>
    expect(lost).toHaveBeenCalledWith(expect.objectContaining({ code: "CONNECTION_LOST" })),
  );
  // What comes now comes too late for anybody: the other one is done, and the file cannot be written.
  await mkdir(knownHosts);
  await utimes(lock, 0, 0);
  await vi.waitFor(() => expect(existsSync(lock)).toBe(false));
});

test("a server that greets before its version is still asked for its host key", async () => {
  await using server = await startHostileServer(() => {}, { greeting: "Welcome\r\nto this host" });
  const { hostKeyFingerprint: _, ...options } = server.options;
  await expect(openTunnel(server.target, options)).rejects.toMatchObject({
    code: "HOST_KEY_UNKNOWN",
    final: true,
  });
});

test("a version that arrives in many pieces is read whole, and an endless greeting is given up", async () => {
  const pieces = (): Duplex =>
    new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const connect = (sock: Duplex): { errors: Error[]; client: InstanceType<typeof ssh2.Client> } => {
    const client = new ssh2.Client();
    const errors: Error[] = [];
    client.on("error", (error) => errors.push(error));
    client.connect({ sock, username: "somebody", readyTimeout: 0 });
    keepGreetingWhole(client);
    return { errors, client };
  };
  const split = pieces();
  const first = connect(split);
  for (const piece of ["Wel", "come\r", "\nSS", "H-", "2", ".0-Te", "st_1", ".0\r", "\n"])
    split.push(piece);
  await vi.waitFor(() => expect(first.client).toHaveProperty("_remoteVer", "Test_1.0"));
  expect(first.errors).toEqual([]);
  split.destroy();

  const endless = pieces();
  const second = connect(endless);
  for (let line = 0; line < 200; line += 1) endless.push(`${"x".repeat(1_000)}\r\n`);
  await vi.waitFor(() => expect(second.errors[0]?.message).toMatch(/max greeting/iu));
  endless.destroy();
});

test("what a server says reaches no terminal as it is", async () => {
  const client = Promise.withResolvers<HostileConnection>();
  await using server = await startHostileServer(
    (one) => {
      one.on("CHANNEL_OPEN", ({ sender }: { sender: number }) =>
        one.send(CHANNEL_OPEN_FAILURE, sender, 1, `no${ESCAPE}`.repeat(500), ""),
      );
      client.resolve(one);
    },
    { ident: `Evil${ESCAPE}` },
  );
  await using tunnel = await openTunnel(server.target, { ...server.options, reconnect: false });
  const refused = await tunnel.connect({ port: 1 }).catch((error: unknown) => error as Error);
  const notRun = await tunnel.run("true").catch((error: unknown) => error as Error);
  expect(tunnel.state).toMatchObject({
    engine: { serverVersion: expect.stringMatching(/^Evil/u) as string },
  });
  const engine = JSON.stringify(tunnel.state);
  (await client.promise).send(DISCONNECT, 2, `bye${ESCAPE}`, "");
  const cause = await tunnel.closed;
  for (const text of [refused, notRun, cause].map(
    (error) => `${(error as Error).message} ${String((error as Error).cause)}`,
  )) {
    expect(text).not.toMatch(/[^\P{C}\n]/u);
    expect(text.length).toBeLessThan(1_000);
  }
  expect(engine).not.toContain(String.raw`\u001b`);
});

test("the methods that a server offers cannot steer a terminal either", async () => {
  await using server = await startHostileServer(() => {}, {
    authentication: (context, send) => {
      if (context.method === "none") send(USERAUTH_FAILURE, `publickey,evil${ESCAPE}`, false);
    },
  });
  const error = await openTunnel(server.target, server.options).catch(
    (reason: unknown) => reason as Error,
  );
  expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
  expect(JSON.stringify([error, (error as Error).message])).not.toContain(String.raw`\u001b`);
});

test("a server that says goodbye and does not go is left", async () => {
  const client = Promise.withResolvers<HostileConnection>();
  await using server = await startHostileServer((one) => client.resolve(one), {
    allowHalfOpen: true,
  });
  await using tunnel = await openTunnel(server.target, { ...server.options, reconnect: false });
  const one = await client.promise;
  // It neither answers our FIN with its own nor stops to talk.
  one.send(DISCONNECT, 11, "bye", "");
  const talking = setInterval(() => socketOf(one.connection).write("still here"), 50);
  try {
    await expect(tunnel.closed).resolves.toMatchObject({ code: "CONNECTION_LOST" });
  } finally {
    clearInterval(talking);
  }
});
