import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { readFile, writeFile } from "node:fs/promises";
import {
  createFaultProxy,
  freePort,
  generateSshKey,
  hasSshd,
  type SshTestRig,
  sshTestRig,
  temporaryDirectory,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { createTunnel, openTunnel, type TunnelOptions, type TunnelState } from "../src/index.ts";

function optionsFor(rig: SshTestRig, more: TunnelOptions = {}): TunnelOptions {
  return {
    identity: rig.identity,
    knownHosts: rig.knownHosts,
    sshConfig: false,
    env: rig.env,
    ...more,
  };
}

function localPort(tunnel: Awaited<ReturnType<typeof openTunnel>>, index = 0): number {
  const local = tunnel.forwards[index]?.local;
  if (local === undefined || !("port" in local)) throw new Error("there is no such forward");
  return local.port;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function echoes(stream: NodeJS.ReadWriteStream, text: string): Promise<string> {
  stream.write(text);
  const [data] = (await once(stream, "data")) as [Buffer];
  return data.toString();
}

describe.skipIf(!hasSshd)("a tunnel through a real OpenSSH server", () => {
  test("the script of the documentation: a stream straight through, and a local port", async () => {
    await using rig = await sshTestRig();
    await using tunnel = await openTunnel(
      rig.target,
      optionsFor(rig, { forwards: [{ remotePort: rig.echo.port }] }),
    );
    const stream = await tunnel.connect({ port: rig.echo.port });
    expect(await echoes(stream, "hello")).toBe("hello");
    stream.destroy();
    const socket = await dial(localPort(tunnel));
    expect(await echoes(socket, "through the port")).toBe("through the port");
    socket.destroy();
    expect(tunnel.state).toMatchObject({
      kind: "open",
      generation: 1,
      engine: {
        name: "ssh2",
        cipher: "aes128-gcm@openssh.com",
        hostKey: { keyType: "ssh-ed25519" },
      },
    });
  });

  test("a command runs on the far side, with its exit code and both outputs", async () => {
    await using rig = await sshTestRig();
    await using tunnel = await openTunnel(rig.target, optionsFor(rig));
    await expect(tunnel.run("echo out; echo err >&2; exit 7")).resolves.toEqual({
      exitCode: 7,
      signal: null,
      stdout: "out\n",
      stderr: "err\n",
    });
    await expect(tunnel.run("sleep 60", { timeoutMs: 200 })).rejects.toMatchObject({
      code: "TIMED_OUT",
    });
    await expect(tunnel.run("head -c 5000000 /dev/zero")).resolves.toMatchObject({
      exitCode: 0,
      stdout: expect.toSatisfy((text: string) => text.length === 1024 * 1024),
    });
  });

  test("an unknown host, a changed key and a wrong identity are final, typed, and leave nothing", async () => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const empty = directory.file("known_hosts");
    await expect(
      openTunnel(rig.target, optionsFor(rig, { knownHosts: empty })),
    ).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      final: true,
      details: { fingerprint: rig.server.hostKeys[0]?.fingerprint },
    });
    const stranger = await generateSshKey({ directory: directory.path });
    await expect(
      openTunnel(rig.target, optionsFor(rig, { identity: stranger.privateKeyPath })),
    ).rejects.toMatchObject({ code: "AUTHENTICATION_REFUSED", final: true });
    const [type, key] = stranger.publicKey.split(" ");
    await writeFile(empty, `[127.0.0.1]:${rig.server.port} ${type} ${key}\n`);
    for (const hostKeyPolicy of ["strict", "accept-new", "openssh"] as const) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(
        openTunnel(rig.target, optionsFor(rig, { knownHosts: empty, hostKeyPolicy })),
      ).rejects.toMatchObject({
        code: "HOST_KEY_CHANGED",
        details: { expected: [stranger.fingerprint] },
      });
    }
    await vi.waitFor(() => expect(rig.server.connections()).toEqual([]));
  });

  test("accept-new records the key with its fingerprint shown, and then it is known", async () => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const knownHosts = directory.file("known_hosts");
    const onNewHostKey = vi.fn(() => {});
    await using _first = await openTunnel(
      rig.target,
      optionsFor(rig, { knownHosts, hostKeyPolicy: "accept-new", onNewHostKey }),
    );
    expect(onNewHostKey).toHaveBeenCalledExactlyOnceWith({
      name: `[127.0.0.1]:${rig.server.port}`,
      keyType: "ssh-ed25519",
      fingerprint: rig.server.hostKeys[0]?.fingerprint,
    });
    expect(await readFile(knownHosts, "utf8")).toContain("ssh-ed25519 ");
    await using _second = await openTunnel(rig.target, optionsFor(rig, { knownHosts }));
  });

  test("a pinned fingerprint is enough, and another one is final", async () => {
    await using rig = await sshTestRig();
    const knownHosts = "/nonexistent/known_hosts";
    const hostKeyFingerprint = rig.server.hostKeys[0]?.fingerprint ?? "";
    await using _tunnel = await openTunnel(
      rig.target,
      optionsFor(rig, { knownHosts, hostKeyFingerprint }),
    );
    await expect(
      openTunnel(rig.target, optionsFor(rig, { hostKeyFingerprint: `SHA256:${"A".repeat(43)}` })),
    ).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
    expect(() => createTunnel(rig.target, { hostKeyFingerprint: "md5:xx" })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });

  test("a jump chain of two hosts, each with its own key", async () => {
    await using far = await sshTestRig();
    await using first = await sshTestRig({ server: { authorizedKeys: [far.publicKey] } });
    await using second = await sshTestRig({ server: { authorizedKeys: [far.publicKey] } });
    await using directory = await temporaryDirectory();
    const knownHosts = directory.file("known_hosts");
    await writeFile(
      knownHosts,
      [far, first, second].map(({ server }) => `${server.knownHostsLine}\n`).join(""),
    );
    for (const { server } of [first, second]) {
      // oxlint-disable-next-line no-await-in-loop
      await server.authorize(far.publicKey);
    }
    const sshConfig = directory.file("config");
    await writeFile(
      sshConfig,
      [
        "Host target",
        "  HostName 127.0.0.1",
        `  Port ${far.server.port}`,
        `  ProxyJump ${first.target},${second.target}`,
        "Host *",
        `  UserKnownHostsFile ${knownHosts}`,
        `  IdentityFile ${far.identity}`,
        "  IdentitiesOnly yes",
        "",
      ].join("\n"),
      { mode: 0o600 },
    );
    await using tunnel = await openTunnel(`${far.server.user}@target`, { sshConfig, env: far.env });
    const stream = await tunnel.connect({ port: far.echo.port });
    const failure = new Promise((resolve) => stream.once("error", resolve));
    expect(await echoes(stream, "three hops")).toBe("three hops");
    expect(first.server.connections()).toHaveLength(1);
    expect(second.server.connections()).toHaveLength(1);

    await second.server.restart({
      hostKeys: [await generateSshKey({ directory: directory.path })],
    });
    await expect(failure).resolves.toMatchObject({ code: "CONNECTION_LOST" });
    const changed = await tunnel.closed;
    expect(changed).toMatchObject({
      code: "HOST_KEY_CHANGED",
      details: { hop: expect.stringContaining(`${second.server.port}`) },
    });
  });

  test("after a cut it comes back on the same port, and what was cut is reset, not hung", async () => {
    await using rig = await sshTestRig();
    const states: TunnelState[] = [];
    await using tunnel = await openTunnel(
      rig.target,
      optionsFor(rig, {
        forwards: [{ remotePort: rig.echo.port }],
        onState: (state) => states.push(state),
      }),
    );
    const port = localPort(tunnel);
    const socket = await dial(port);
    expect(await echoes(socket, "before")).toBe("before");
    const gone = new Promise((resolve) => socket.once("close", resolve));
    await rig.server.killConnections();
    await gone;
    const next = await dial(port);
    expect(await echoes(next, "after")).toBe("after");
    next.destroy();
    expect(localPort(tunnel)).toBe(port);
    expect(states.map(({ kind }) => kind)).toEqual([
      "connecting",
      "open",
      "waiting",
      "connecting",
      "open",
    ]);
    expect(tunnel.state).toMatchObject({ generation: 2 });
    expect(rig.server.connections()).toHaveLength(1);
  });

  test("a frozen server is noticed within interval × count, and a black hole too", async () => {
    await using rig = await sshTestRig();
    await using proxy = await createFaultProxy({ target: rig.server });
    await using directory = await temporaryDirectory();
    const knownHosts = directory.file("known_hosts");
    const [type, key] = (rig.server.hostKeys[0]?.publicKey ?? "").split(" ");
    await writeFile(knownHosts, `[127.0.0.1]:${proxy.port} ${type} ${key}\n`);
    await using tunnel = await openTunnel(
      `${rig.server.user}@127.0.0.1:${proxy.port}`,
      optionsFor(rig, { knownHosts, keepaliveIntervalMs: 200, keepaliveCountMax: 3 }),
    );
    for (const fault of ["freeze", "silence"] as const) {
      const startedAt = performance.now();
      if (fault === "freeze") rig.server.freeze();
      else proxy.cutAll("silence");
      // oxlint-disable-next-line no-await-in-loop
      await vi.waitFor(() => expect(tunnel.state.kind).not.toBe("open"), { timeout: 5_000 });
      expect(performance.now() - startedAt).toBeLessThan(3 * 200 + 1_000);
      if (fault === "freeze") rig.server.thaw();
      // oxlint-disable-next-line no-await-in-loop
      await tunnel.ready();
    }
  });

  test("a connection that comes while the tunnel is away waits, up to a limit, and is then reset", async () => {
    await using rig = await sshTestRig();
    await using tunnel = await openTunnel(
      rig.target,
      optionsFor(rig, { forwards: [{ remotePort: rig.echo.port }], waitTimeoutMs: 300 }),
    );
    await rig.server.stop();
    await vi.waitFor(() => expect(tunnel.state.kind).not.toBe("open"));
    const socket = await dial(localPort(tunnel));
    const [error] = (await once(socket, "error")) as [Error & { code: string }];
    expect(error.code).toBe("ECONNRESET");
    await expect(tunnel.connect({ port: rig.echo.port })).rejects.toMatchObject({
      code: "WAIT_EXPIRED",
      cause: { code: "CONNECTION_REFUSED" },
    });
    await rig.server.restart();
    const stream = await vi.waitFor(() => tunnel.connect({ port: rig.echo.port }), {
      timeout: 5_000,
    });
    expect(await echoes(stream, "again")).toBe("again");
  });

  test("close() ends within a second whatever goes on, twice is once, and nothing is left", async () => {
    await using rig = await sshTestRig();
    const tunnel = await openTunnel(
      rig.target,
      optionsFor(rig, { forwards: [{ remotePort: rig.echo.port }] }),
    );
    const socket = await dial(localPort(tunnel));
    await echoes(socket, "open");
    const port = localPort(tunnel);
    rig.server.freeze();
    const startedAt = performance.now();
    const first = tunnel.close();
    expect(tunnel.close()).toBe(first);
    await first;
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(tunnel.state).toEqual({ kind: "closed", cause: undefined });
    rig.server.thaw();
    await expect(tunnel.connect({ port: 1 })).rejects.toMatchObject({ code: "CLOSED" });
    const refused = connect(port, "127.0.0.1");
    const [error] = (await once(refused, "error")) as [Error & { code: string }];
    expect(error.code).toBe("ECONNREFUSED");
    await vi.waitFor(() => expect(rig.server.connections()).toEqual([]));
  });

  test("a busy local port is refused before anything is dialled, or replaced where that was asked for", async () => {
    await using rig = await sshTestRig();
    await using first = await openTunnel(
      rig.target,
      optionsFor(rig, { forwards: [{ remotePort: rig.echo.port }] }),
    );
    const forwards = [{ localPort: localPort(first), remotePort: rig.echo.port }];
    await expect(openTunnel(rig.target, optionsFor(rig, { forwards }))).rejects.toMatchObject({
      code: "LOCAL_PORT_BUSY",
      details: { holder: { pid: process.pid } },
    });
    await using second = await openTunnel(
      rig.target,
      optionsFor(rig, { forwards, fallbackPort: true }),
    );
    expect(second.forwards[0]).toMatchObject({ insteadOf: localPort(first) });
    const socket = await dial(localPort(second));
    expect(await echoes(socket, "elsewhere")).toBe("elsewhere");
    socket.destroy();
  });

  test("given up while connecting, it leaves nothing behind", async () => {
    await using rig = await sshTestRig();
    rig.server.freeze();
    const controller = new AbortController();
    const opening = openTunnel(rig.target, optionsFor(rig, { signal: controller.signal }));
    controller.abort(new Error("changed my mind"));
    await expect(opening).rejects.toThrow("changed my mind");
    rig.server.thaw();
    await vi.waitFor(() => expect(rig.server.connections()).toEqual([]));
  });

  test("the first failure of openTunnel is told; createTunnel goes on trying", async () => {
    const port = await freePort();
    await using rig = await sshTestRig();
    await expect(openTunnel(`me@127.0.0.1:${port}`, optionsFor(rig))).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
    });
    await expect(openTunnel("me@no-such-host.invalid", optionsFor(rig))).rejects.toMatchObject({
      code: "NAME_NOT_RESOLVED",
    });
    await rig.server.stop();
    await using tunnel = createTunnel(rig.target, optionsFor(rig));
    await vi.waitFor(() => expect(tunnel.state.kind).toBe("waiting"));
    await rig.server.restart();
    await tunnel.opened();
  });

  test("an answer that is no SSH is named", async () => {
    await using rig = await sshTestRig();
    // The echo server sends our own greeting back, which is one: a web server does not.
    const { createServer } = await import("node:http");
    const server = createServer((_, response) => void response.end("hello"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await expect(openTunnel(`me@127.0.0.1:${port}`, optionsFor(rig))).rejects.toMatchObject({
      code: "NOT_SSH",
    });
    server.closeAllConnections();
    server.close();
  });
});
