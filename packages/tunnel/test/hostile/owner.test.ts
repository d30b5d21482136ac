import { writeFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { createTunnel, openTunnel, type Tunnel } from "../../src/index.ts";
import { silentLogger } from "../../src/logger.ts";
import { MESSAGE, socketOf, startHostileServer } from "./hostile-server.ts";

const { CHANNEL_OPEN_CONFIRMATION = 0, CHANNEL_SUCCESS = 0 } = MESSAGE;

test("a tunnel that is closed by whoever hears of its first state stays closed", async () => {
  await using server = await startHostileServer(() => {});
  const kinds: string[] = [];
  const tunnel: Tunnel = createTunnel(server.target, {
    ...server.options,
    onState(state) {
      kinds.push(state.kind);
      if (state.kind === "connecting") void tunnel.close();
    },
  });
  await tunnel.closed;
  // Another one takes as long as that one would have taken.
  await using _other = await openTunnel(server.target, server.options);
  expect(server.connections).toBe(1);
  expect(kinds).toEqual(["connecting", "closed"]);
});

test("a listener that throws harms nobody but the log", async () => {
  await using server = await startHostileServer(() => {});
  const error = vi.fn(() => {});
  const tunnel = await openTunnel(server.target, {
    ...server.options,
    logger: { ...silentLogger, error },
    onState() {
      throw new Error("a listener with a mistake");
    },
  });
  expect(tunnel.state.kind).toBe("open");
  await tunnel.close();
  await expect(tunnel.closed).resolves.toBeUndefined();
  expect(error).toHaveBeenCalledTimes(4);
});

test("a destination that ends every connection is given up after the time one may wait", async () => {
  await using server = await startHostileServer((client) => {
    client.on("CHANNEL_OPEN", () => void socketOf(client.connection).destroy());
  });
  await using tunnel = await openTunnel(server.target, {
    ...server.options,
    waitTimeoutMs: 300,
    backoff: { baseMs: 10, maxMs: 20 },
  });
  await expect(tunnel.connect({ port: 1 })).rejects.toMatchObject({ code: "CONNECTION_LOST" });
});

test("a probe that is under way when the connection ends is not blamed for it", async () => {
  await using server = await startHostileServer((client) => {
    client.on("GLOBAL_REQUEST", () => void socketOf(client.connection).destroy());
  });
  await using tunnel = await openTunnel(server.target, { ...server.options, reconnect: false });
  await expect(tunnel.probe()).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  await expect(tunnel.closed).resolves.toMatchObject({ code: "CONNECTION_LOST" });
});

test("a command that was given up before the server began is ended when it begins", async () => {
  const ended = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  let begin: (() => void) | undefined;
  await using server = await startHostileServer((client) => {
    client.on("CHANNEL_CLOSE", () => ended.resolve());
    client.on("CHANNEL_REQUEST", () => client.send(CHANNEL_SUCCESS, 0));
    client.on("CHANNEL_OPEN", () => {
      begin = () => client.send(CHANNEL_OPEN_CONFIRMATION, 0, 0, 1_000_000, 32_768);
      asked.resolve();
    });
  });
  await using tunnel = await openTunnel(server.target, server.options);
  const controller = new AbortController();
  const running = tunnel
    .run("sleep 1000", { signal: controller.signal })
    .catch((error: unknown) => error);
  await asked.promise;
  controller.abort(new Error("changed my mind"));
  expect(await running).toMatchObject({ message: "changed my mind" });
  begin?.();
  await ended.promise;
});

test("any number of commands may run at once, for as long as they take, without a warning", async () => {
  await using server = await startHostileServer((client) => {
    client.connection.on("session", (accept) => {
      accept().on("exec", (start) => {
        const stream = start();
        stream.exit(0);
        stream.end();
      });
    });
  });
  const warned = vi.fn(() => {});
  process.on("warning", warned);
  onTestFinished(() => void process.off("warning", warned));
  await using tunnel = await openTunnel(server.target, server.options);
  const results = await Promise.all(
    Array.from({ length: 30 }, () => tunnel.run("true", { timeoutMs: Number.POSITIVE_INFINITY })),
  );
  expect(results.map(({ exitCode }) => exitCode)).toEqual(Array.from({ length: 30 }, () => 0));
  await setImmediate();
  expect(warned).not.toHaveBeenCalled();
});

test("times of the ssh config that are longer than any timer count as long, not as none", async () => {
  await using server = await startHostileServer(() => {});
  const { knownHosts = "" } = server.options;
  const sshConfig = `${knownHosts}.config`;
  await writeFile(sshConfig, "ServerAliveInterval 9999999\nConnectTimeout 9999999\n");
  await using tunnel = await openTunnel(server.target, { ...server.options, sshConfig });
  await tunnel.probe();
  expect(tunnel.state).toMatchObject({ kind: "open", generation: 1 });
});
