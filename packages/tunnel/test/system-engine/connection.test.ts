import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { hasDropbear, hasSshd, sshTestRig, startDropbearServer } from "@openclaw/testkit";
import { temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { CHANNEL_WINDOW_BYTES } from "../../src/engines/ssh2/window-policy.ts";
import { isRunning, openTo, peakMemoryBytes } from "./support.ts";

interface FarSide extends AsyncDisposable {
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
}

/** Listens on the far side, and hands over each connection. */
async function farSide(
  connected: (socket: Socket) => void,
  place: { path: string } | { port: 0; host: string } = { port: 0, host: "127.0.0.1" },
): Promise<FarSide> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    connected(socket);
  });
  server.listen(place);
  await once(server, "listening");
  return {
    sockets,
    port: "port" in place ? (server.address() as AddressInfo).port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe.skipIf(!hasSshd)("a connection through the system's ssh", () => {
  test("each direction of a channel ends on its own, ours first", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    await using far = await farSide(async (socket) => socket.end(`heard ${await readAll(socket)}`));
    const channel = await connection.connect({ host: "127.0.0.1", port: far.port });
    channel.end("hello");
    expect(await readAll(channel)).toBe("heard hello");
  });

  test("each direction of a channel ends on its own, theirs first", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    const heard = Promise.withResolvers<string>();
    await using far = await farSide((socket) => {
      socket.end("bye");
      readAll(socket).then(heard.resolve, heard.reject);
    });
    const channel = await connection.connect({ host: "127.0.0.1", port: far.port });
    expect(await readAll(channel)).toBe("bye");
    channel.end("still here");
    expect(await heard.promise).toBe("still here");
  });

  test("a Unix socket of the far side is reached", async () => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const socketPath = directory.file("far.sock");
    await using far = await farSide((socket) => socket.end("from the socket"), {
      path: socketPath,
    });
    expect(far.sockets.size).toBe(0);
    await using connection = await openTo(rig);
    const channel = await connection.connect({ socketPath });
    channel.end();
    expect(await readAll(channel)).toBe("from the socket");
  });

  test("32 MiB in odd pieces arrive whole both ways, through many key exchanges", async () => {
    await using rig = await sshTestRig({ server: { config: ["RekeyLimit 4M"] } });
    await using connection = await openTo(rig);
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    const [ours, theirs] = [createHash("sha256"), createHash("sha256")];
    channel.on("data", (data: Buffer) => theirs.update(data));
    const source = randomBytes(1_000_003);
    const total = 32 * 1024 * 1024;
    for (let bytes = 0, piece = 1; bytes < total; piece = (piece * 7 + 3) % source.length) {
      const data = source.subarray(0, Math.min(piece + 1, total - bytes));
      bytes += data.length;
      ours.update(data);
      // oxlint-disable-next-line no-await-in-loop
      if (!channel.write(data)) await once(channel, "drain");
    }
    channel.end();
    await once(channel, "end");
    expect(theirs.digest("hex")).toBe(ours.digest("hex"));
  });

  test("twenty streams at once arrive whole, and ssh holds little of them", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    const bytes = 4 * 1024 * 1024;
    await using far = await farSide((socket) => void socket.end(Buffer.alloc(bytes, "x")));
    const channels: Duplex[] = [];
    while (channels.length < 20) {
      // oxlint-disable-next-line no-await-in-loop
      channels.push(await connection.connect({ host: "127.0.0.1", port: far.port }));
    }
    const read = await Promise.all(
      channels.map(async (channel) => {
        channel.end();
        return (await buffer(channel)).length;
      }),
    );
    expect(read).toEqual(channels.map(() => bytes));
    // What it has in hand it copies for every packet that comes.
    expect(peakMemoryBytes(connection.info.pid)).toBeLessThan(48 * 1024 * 1024);
  });

  test("a reader that does not read stops the writer on the far side", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    let stalled: Socket | undefined;
    await using far = await farSide((socket) => {
      stalled = socket;
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => {
        while (socket.write(chunk));
        socket.once("drain", write);
      };
      write();
    });
    const channel = await connection.connect({ host: "127.0.0.1", port: far.port });
    await once(channel, "readable");
    // It has come to a stop when two looks a while apart find the same.
    let before = -1;
    await vi.waitFor(
      () => {
        const now = channel.readableLength;
        const isSame = now === before;
        before = now;
        expect(isSame).toBe(true);
      },
      { interval: 200, timeout: 10_000 },
    );
    expect(channel.readableLength).toBeLessThanOrEqual(CHANNEL_WINDOW_BYTES + 256 * 1024);
    expect(stalled?.writableLength).toBeGreaterThan(0);
    channel.destroy();
  });

  test("a closed port and a forbidden forward are told apart, and others go on", async () => {
    await using rig = await sshTestRig();
    await using silent = await farSide(() => {});
    const closedPort = silent.port;
    await silent[Symbol.asyncDispose]();
    await rig.server.restart({ config: [`PermitOpen 127.0.0.1:${rig.echo.port} *:${closedPort}`] });
    await using connection = await openTo(rig);
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    await expect(connection.connect({ host: "127.0.0.1", port: closedPort })).rejects.toMatchObject(
      { code: "REMOTE_PORT_CLOSED", final: false },
    );
    await expect(connection.connect({ host: "127.0.0.1", port: 1 })).rejects.toMatchObject({
      code: "FORWARD_REFUSED",
      final: true,
    });
    channel.end("x");
    expect(await readAll(channel)).toBe("x");
  });

  test("a connect() that is given up rejects with the reason, and leaves no channel", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    const reason = new Error("not wanted any more");
    const aborted = AbortSignal.abort(reason);
    const destination = { host: "127.0.0.1", port: rig.echo.port };
    await expect(connection.connect(destination, { signal: aborted })).rejects.toBe(reason);
    const controller = new AbortController();
    const opening = connection.connect(destination, { signal: controller.signal });
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    await vi.waitFor(() => expect(rig.echo.connections).toHaveLength(0));
  });

  test("with low latency, a session with a terminal is opened once, before anything else", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig, { engine: { lowLatency: true } });
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    const sessions = rig.server.log.filter((line) => line.includes("Starting session: "));
    expect(sessions).toEqual([expect.stringMatching(/command on pts\S* for/u)]);
    channel.destroy();
    expect(await connection.run("echo fine")).toMatchObject({ stdout: "fine\n" });
  });

  test("tells what carries it", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig, { engine: { reason: "ProxyCommand" } });
    const { info } = connection;
    expect(info).toMatchObject({
      name: "system",
      reason: "ProxyCommand",
      cryptography: "openssh",
      version: expect.stringMatching(/^OpenSSH_\d/u),
      cipher: expect.stringMatching(/gcm|chacha|ctr/u),
      serverVersion: expect.stringMatching(/^OpenSSH_\d/u),
      hostKey: {
        name: `[127.0.0.1]:${rig.server.port}`,
        keyType: "ssh-ed25519",
        fingerprint: rig.server.hostKeys[0]?.fingerprint,
      },
    });
    expect(isRunning(info.pid)).toBe(true);
  });
});

describe.skipIf(!hasSshd)("a command through the system's ssh", () => {
  test("yields its output and its exit code", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    expect(await connection.run("echo out; echo err >&2; exit 3")).toEqual({
      exitCode: 3,
      signal: null,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(await connection.run("kill -TERM $$")).toMatchObject({
      exitCode: null,
      signal: "SIGTERM",
    });
  });

  test("gets no variable of this machine, whatever the ssh config says", async () => {
    await using rig = await sshTestRig({ server: { config: ["AcceptEnv *"] } });
    await using connection = await openTo(rig, {
      engine: { env: { ...rig.env, CARRIED_ALONG: "yes", OPENCLAW_GATEWAY_TOKEN: "secret" } },
    });
    const { stdout } = await connection.run("env");
    expect(stdout).not.toMatch(/CARRIED_ALONG|OPENCLAW|secret/u);
  });

  test("has its output cut off at the limit and still ends by itself", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    const command = "head -c 5000000 /dev/zero | tr '\\0' x";
    const { stdout, exitCode } = await connection.run(command, { maxOutputBytes: 1000 });
    expect(stdout).toBe("x".repeat(1000));
    expect(exitCode).toBe(0);
  });

  test("is left when its time is over or it is given up, and the next one runs", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    await expect(connection.run("sleep 60", { timeoutMs: 200 })).rejects.toMatchObject({
      code: "TIMED_OUT",
      details: { stage: "command" },
    });
    const controller = new AbortController();
    const running = connection.run("sleep 60", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(await connection.run("echo fine")).toMatchObject({ stdout: "fine\n" });
  });

  test("is refused where the server allows none, and channels still open", async () => {
    await using rig = await sshTestRig({ server: { config: ["MaxSessions 0"] } });
    await using connection = await openTo(rig);
    await expect(connection.run("true")).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    channel.destroy();
    await connection.probe(5_000);
  });
});

test.skipIf(!hasDropbear)("Dropbear serves channels, commands and probes too", async () => {
  await using rig = await sshTestRig({
    startServer: (key) => startDropbearServer({ authorizedKeys: [key] }),
  });
  await using connection = await openTo(rig);
  const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
  channel.end("over Dropbear");
  expect(await readAll(channel)).toBe("over Dropbear");
  expect(await connection.run("exit 4")).toMatchObject({ exitCode: 4 });
  await connection.probe(5_000);
  await expect(connection.connect({ host: "127.0.0.1", port: 1 })).rejects.toMatchObject({
    code: "REMOTE_PORT_CLOSED",
  });
});
