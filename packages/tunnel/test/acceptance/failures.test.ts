import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import { connect, createServer, type Server } from "node:net";
import {
  createFaultProxy,
  freePort,
  hasAsyncssh,
  hasSshd,
  type SshTestRig,
  sshTestRig,
  startMisbehavingSshServer,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { createTunnel, openTunnel, type TunnelOptions } from "../../src/index.ts";
import { engines, recordStates } from "../servers/tunnel-to.ts";
import { echoThrough, keyedHostLines, withConfig } from "./configured.ts";

/** Options under which `box` is the server of the rig, on another port of this machine. */
function viaPort(rig: SshTestRig, port: number, more: TunnelOptions): Promise<TunnelOptions> {
  const [, type, key] = rig.server.knownHostsLine.split(" ");
  expect(`${type} ${key}`).toMatch(/^ssh-ed25519 AAAA/u);
  const lines = keyedHostLines("box", rig).filter((line) => !line.startsWith("  Port"));
  // By its alias the key is known on whatever port.
  return withConfig(
    rig,
    [...lines, `  Port ${port}`, `  HostKeyAlias [127.0.0.1]:${rig.server.port}`],
    more,
  );
}

async function listening(server: Server): Promise<{ port: number } & AsyncDisposable> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

describe.skipIf(!hasSshd).each(engines)("a far side that is not there, over %s", (engine) => {
  test.each([
    ["a name without an address", "me@no-such-host.invalid", "NAME_NOT_RESOLVED"],
    ["a port on which nothing listens", "me@127.0.0.1", "CONNECTION_REFUSED"],
  ] as const)("%s can be tried again, and says what to check", async (_, host, code) => {
    await using rig = await sshTestRig();
    const options = await withConfig(rig, [], { engine, identity: rig.identity });
    const target = `${host}:${await freePort()}`;

    await expect(openTunnel(target, options)).rejects.toMatchObject({
      code,
      final: false,
      hint: expect.stringContaining("Check"),
    });
    const { onState, states, causes } = recordStates();
    await using _tunnel = createTunnel(target, { ...options, onState });
    await vi.waitFor(() => expect(causes().length).toBeGreaterThan(2));
    expect(new Set(causes())).toEqual(new Set([code]));
    expect(states.slice(0, 4)).toMatchObject([
      { kind: "connecting", attempt: 1, generation: 1 },
      { kind: "waiting", attempt: 1, generation: 1 },
      { kind: "connecting", attempt: 2, generation: 2 },
      { kind: "waiting", attempt: 2, generation: 2 },
    ]);
  });

  test("a web server on the port is no SSH server", async () => {
    await using rig = await sshTestRig();
    const web = createWebServer((_, response) => void response.end("hello"));
    await using place = await listening(web);
    const options = await viaPort(rig, place.port, { engine });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "NOT_SSH",
      hint: expect.stringContaining("port"),
    });
    web.closeAllConnections();
  });

  test("a server that speaks first, and never of SSH, is no SSH server", async () => {
    await using rig = await sshTestRig();
    await using place = await listening(
      createServer((socket) => {
        socket.on("error", () => {}).resume();
        socket.end("220 mail.example ESMTP\r\n");
      }),
    );
    const options = await viaPort(rig, place.port, { engine });

    await expect(openTunnel("box", options)).rejects.toMatchObject({ code: "NOT_SSH" });
  });

  test("lines before the version line are part of the protocol", async () => {
    await using rig = await sshTestRig();
    await using place = await listening(
      createServer((socket) => {
        const upstream = connect(rig.server.port, "127.0.0.1");
        for (const one of [socket, upstream]) one.on("error", () => {});
        socket.on("close", () => upstream.destroy());
        socket.write("Authorized use only.\r\nAll of it is logged.\r\n");
        upstream.pipe(socket).pipe(upstream);
      }),
    );
    const options = await viaPort(rig, place.port, { engine });

    await using tunnel = await openTunnel("box", options);

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    expect(tunnel.state).toMatchObject({
      engine: { serverVersion: expect.stringMatching(/OpenSSH/u) },
    });
  });

  test("a link of 300 ms each way is slow and nothing else", async () => {
    await using rig = await sshTestRig();
    await using proxy = await createFaultProxy({ target: rig.server });
    proxy.set({ toTarget: { delayMs: 300 }, toClient: { delayMs: 300 } });
    const options = await viaPort(rig, proxy.port, { engine });

    const startedAt = performance.now();
    await using tunnel = await openTunnel("box", {
      ...options,
      keepaliveIntervalMs: 3_000,
      forwards: [{ remotePort: rig.echo.port }],
    });

    expect(performance.now() - startedAt).toBeLessThan(9_000);
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    await tunnel.probe();
    expect(tunnel.state).toMatchObject({ kind: "open", generation: 1 });
    const closing = performance.now();
    await tunnel.close();
    expect(performance.now() - closing).toBeLessThan(1_000);
  });
});

describe.skipIf(!hasSshd || !hasAsyncssh).each(engines)("being given up over %s", (engine) => {
  test.each([
    ["while it dials", "stall-before-banner"],
    ["in the handshake", "stall-after-banner"],
    ["while it logs in", "stall-authentication"],
  ] as const)("%s, it ends with the reason and leaves no connection", async (_, behaviour) => {
    await using rig = await sshTestRig({
      startServer: (key) => startMisbehavingSshServer(behaviour, { authorizedKeys: [key] }),
    });
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    const controller = new AbortController();
    const reason = new Error("changed my mind");

    const opening = openTunnel("box", { ...options, signal: controller.signal });
    opening.catch(() => {});
    await rig.server.event(behaviour === "stall-authentication" ? "auth" : "connection");
    controller.abort(reason);

    await expect(opening).rejects.toBe(reason);
    await rig.server.event("closed");
  });

  test("before anything, it dials nobody", async () => {
    await using rig = await sshTestRig({ startServer: () => startMisbehavingSshServer("normal") });
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    const reason = new Error("never mind");

    await expect(openTunnel("box", { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );

    expect(rig.server.events).toEqual([]);
  });

  test("while a channel opens, only that channel is given up", async () => {
    await using rig = await sshTestRig();
    await using proxy = await createFaultProxy({ target: rig.server });
    const options = await viaPort(rig, proxy.port, { engine });
    await using tunnel = await openTunnel("box", options);
    const [connection] = proxy.connections;
    const controller = new AbortController();
    const reason = new Error("no longer wanted");

    connection?.toClient.set({ flow: "stall" });
    const opening = tunnel.connect({ port: rig.echo.port }, { signal: controller.signal });
    opening.catch(() => {});
    await connection?.toTarget.forwarded(connection.toTarget.forwardedBytes + 1);
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    connection?.toClient.set({ flow: "pass" });

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    await vi.waitFor(() => expect(rig.echo.connections).toEqual([]));
    expect(tunnel.state).toMatchObject({ kind: "open", generation: 1 });
  });

  test("with a signal that aborts later, an open tunnel closes, and so do its listeners", async () => {
    await using rig = await sshTestRig();
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    const controller = new AbortController();
    await using tunnel = await openTunnel("box", {
      ...options,
      signal: controller.signal,
      forwards: [{ remotePort: rig.echo.port }],
    });
    const [forward] = tunnel.forwards;

    controller.abort(new Error("enough"));

    expect(await tunnel.closed).toBeUndefined();
    expect(tunnel.state).toEqual({ kind: "closed", cause: undefined });
    const port = forward !== undefined && "port" in forward.local ? forward.local.port : 0;
    const late = connect(port, "127.0.0.1");
    const [error] = (await once(late, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
    await vi.waitFor(() => expect(rig.server.connections()).toEqual([]));
  });
});
