import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { hasSshd, type SshTestRig, sshTestRig, temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, expectTypeOf, onTestFinished, test, vi } from "vitest";
import {
  createTunnel,
  openTunnel,
  type Tunnel,
  TunnelError,
  type TunnelOptions,
} from "../../src/index.ts";
import { dial } from "../forwards/tcp.ts";
import { engines, localPorts, recordStates } from "../servers/tunnel-to.ts";
import { echoed, echoThrough, keyedHostLines, withConfig } from "./configured.ts";

/** What of this process a tunnel could leave behind. */
function leftovers(): { sockets: number; resources: string[]; children: number } {
  const sockets = readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  });
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");
  return {
    sockets: sockets.length,
    resources: process
      .getActiveResourcesInfo()
      .filter((one) => /TCP|Pipe|Process|Timeout|GetAddrInfo/u.test(one))
      .toSorted(),
    children: children.split(" ").filter(Boolean).length,
  };
}

function configured(rig: SshTestRig, more: TunnelOptions): Promise<TunnelOptions> {
  return withConfig(rig, keyedHostLines("box", rig), more);
}

describe.skipIf(!hasSshd).each(engines)("the life of a tunnel over %s", (engine) => {
  test("begins at once, is open when it says so, and ends when it is closed", async () => {
    await using rig = await sshTestRig();
    const { onState, states } = recordStates();
    const options = await configured(rig, { engine, onState });

    const tunnel = createTunnel("box", options);

    expect(tunnel.state).toEqual({ kind: "connecting", attempt: 1, generation: 0 });
    const early = tunnel.connect({ port: rig.echo.port });
    await Promise.all([tunnel.opened(), tunnel.ready()]);
    expect(tunnel.state).toMatchObject({ kind: "open", generation: 1, engine: { name: engine } });
    const stream = await early;
    expect(await echoed(stream, "asked for before it was open")).toContain("asked for");
    stream.destroy();
    const closing = tunnel.close();
    expect(tunnel.close()).toBe(closing);
    expect(await tunnel.closed).toBeUndefined();
    await closing;
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "open", "draining", "closed"]);
    expect(tunnel.state).toEqual({ kind: "closed", cause: undefined });
    for (const call of [
      tunnel.ready(),
      tunnel.connect({ port: rig.echo.port }),
      tunnel.run("true"),
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(call).rejects.toMatchObject({ code: "CLOSED" });
    }
    await tunnel.opened();
  });

  test("with streams and local connections open, it ends them all and raises nothing", async () => {
    await using rig = await sshTestRig();
    const options = await configured(rig, { engine, forwards: [{ remotePort: rig.echo.port }] });
    const tunnel = await openTunnel("box", options);
    const [port = 0] = localPorts(tunnel);
    const raised: unknown[] = [];
    const stream = await tunnel.connect({ port: rig.echo.port });
    // A script has no listener, and would end with it.
    stream.on("error", (error) => raised.push(error));
    await echoed(stream, "open");
    const streamClosed = new Promise((resolve) => stream.once("close", resolve));
    const socket = await dial({ port });
    await echoed(socket, "open");
    const socketClosed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();

    const startedAt = performance.now();
    await tunnel.close();

    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await streamClosed;
    expect(raised).toEqual([]);
    socket.destroy();
    await socketClosed;
    await vi.waitFor(() => expect(rig.echo.connections).toEqual([]));
  });

  test("without reconnect ends with the first connection, and tells the cause", async () => {
    await using rig = await sshTestRig();
    const { onState, states } = recordStates();
    const options = await configured(rig, { engine, onState, reconnect: false });
    await using tunnel = await openTunnel("box", options);
    const stream = await tunnel.connect({ port: rig.echo.port });
    const broken = new Promise((resolve) => stream.once("error", resolve));

    await rig.server.killConnections();

    await expect(broken).resolves.toMatchObject({ code: "CONNECTION_LOST" });
    expect(await tunnel.closed).toMatchObject({ code: "CONNECTION_LOST", final: false });
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "open", "closed"]);
    await expect(tunnel.ready()).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await expect(tunnel.connect({ port: 1 })).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  });

  test("that comes back: ready() waits for it, opened() does not, connect() goes on", async () => {
    await using rig = await sshTestRig();
    const options = await configured(rig, { engine, forwards: [{ remotePort: rig.echo.port }] });
    await using tunnel = await openTunnel("box", options);
    const ports = localPorts(tunnel);
    await rig.server.stop();
    await vi.waitFor(() => expect(tunnel.state.kind).toBe("waiting"));

    await tunnel.opened();
    const controller = new AbortController();
    const impatient = tunnel.ready({ signal: controller.signal });
    const patient = tunnel.ready();
    const stream = tunnel.connect({ port: rig.echo.port });
    const local = await dial({ port: ports[0] ?? 0 });
    controller.abort(new Error("too long"));
    await expect(impatient).rejects.toThrow("too long");
    await rig.server.restart();

    await patient;
    const opened = await stream;
    expect(await echoed(opened, "after the gap")).toBe("after the gap");
    opened.destroy();
    expect(await echoed(local, "by the port")).toBe("by the port");
    local.destroy();
    expect(localPorts(tunnel)).toEqual(ports);
    expect(tunnel.state.kind).toBe("open");
  });

  test("a final cause closes it: opened(), ready(), connect() and closed all tell that one", async () => {
    await using rig = await sshTestRig();
    const { onState, states } = recordStates();
    const options = await configured(rig, {
      engine,
      onState,
      knownHosts: `${rig.home}/nothing-known`,
    });
    await using tunnel = createTunnel("box", options);
    const waiting = [tunnel.opened(), tunnel.ready(), tunnel.connect({ port: 1 }), tunnel.run("x")];

    const outcomes = await Promise.allSettled(waiting);

    const cause = await tunnel.closed;
    expect(cause).toBeInstanceOf(TunnelError);
    expect(cause?.code).toBe("HOST_KEY_UNKNOWN");
    for (const outcome of outcomes) expect(outcome).toEqual({ status: "rejected", reason: cause });
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "closed"]);
  });

  test("fifty of them leave no socket, no timer, no process and no file", async () => {
    await using rig = await sshTestRig();
    // Short, for the sockets in it, and with nothing of any other test.
    await using temporary = await temporaryDirectory("acc-");
    const stateDirectory = `${rig.home}/state`;
    vi.stubEnv("TMPDIR", temporary.path);
    onTestFinished(() => void vi.unstubAllEnvs());
    const options = await configured(rig, {
      engine,
      forwards: [{ remotePort: rig.echo.port }],
      stateDirectory,
    });
    async function useOne(index: number): Promise<void> {
      await using tunnel = await openTunnel("box", options);
      const stream = await tunnel.connect({ port: rig.echo.port });
      stream.on("error", () => {});
      await echoed(stream, "hello");
      const [port = 0] = localPorts(tunnel);
      const socket = await dial({ port });
      await echoed(socket, "hello");
      socket.destroy();
      // Every other stream is still open when its tunnel goes.
      if (index % 2 === 0) stream.destroy();
    }
    // What is loaded and kept once is no leftover.
    await useOne(0);
    await vi.waitFor(() => expect(rig.echo.connections).toEqual([]));
    const before = leftovers();

    for (let round = 0; round < 10; round += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(Array.from({ length: 5 }, (_, index) => useOne(index)));
    }

    await vi.waitFor(() => expect(rig.echo.connections).toEqual([]));
    await vi.waitFor(() => expect(rig.server.connections()).toEqual([]));
    // Not with vi.waitFor, which would find its own timers.
    const deadline = performance.now() + 5_000;
    while (!isDeepStrictEqual(leftovers(), before) && performance.now() < deadline) {
      // oxlint-disable-next-line no-await-in-loop
      await setImmediate();
    }
    expect(leftovers()).toEqual(before);
    expect(await readdir(temporary.path)).toEqual([]);
    if (engine === "system") expect(await readdir(`${stateDirectory}/ssh-children`)).toEqual([]);
  });

  test("leaves the caller's options as they were, frozen all through", async () => {
    await using rig = await sshTestRig();
    const options = await configured(rig, { engine, forwards: [{ remotePort: rig.echo.port }] });
    const frozen = deepFreeze({
      ...options,
      authentication: { passphrase: async () => undefined },
    });
    const copy = { ...frozen };

    await using tunnel = await openTunnel(deepFreeze({ host: "box" }), frozen);

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    expect(frozen).toEqual(copy);
    expect(frozen.forwards).toEqual([{ remotePort: rig.echo.port }]);
  });

  test("the script of the documentation, as it is", async () => {
    await using rig = await sshTestRig();
    const options = await configured(rig, { engine });

    await using tunnel = await openTunnel("box", {
      ...options,
      forwards: [{ remotePort: rig.echo.port }],
    });
    const socket = await tunnel.connect({ port: rig.echo.port });

    expect(await echoed(socket, "a Duplex straight through")).toBe("a Duplex straight through");
    expectTypeOf(tunnel).toEqualTypeOf<Tunnel>();
  });
});

describe("what makes no sense is refused at once, by name", () => {
  test.each<[string, TunnelOptions]>([
    ["no time to connect", { connectTimeoutMs: 0 }],
    ["time running backwards", { keepaliveIntervalMs: -1 }],
    ["no number", { waitTimeoutMs: Number.NaN }],
    ["endless time", { connectTimeoutMs: Number.POSITIVE_INFINITY }],
    ["half a question", { keepaliveCountMax: 0.5 }],
    ["room for nobody", { maxWaiting: 0 }],
    ["pauses that run backwards", { backoff: { baseMs: -5 } }],
    ["pauses that are no number", { backoff: { maxMs: Number.NaN } }],
    ["a fingerprint that is none", { hostKeyFingerprint: "aa:bb" }],
    ["an engine that is none", { engine: "putty" as "ssh2" }],
    ["a policy that is none", { hostKeyPolicy: "trust-me" as "strict" }],
    ["a forward to nowhere", { forwards: [{}] }],
    ["a forward to no port", { forwards: [{ remotePort: 70_000 }] }],
    ["a forward from no port", { forwards: [{ localPort: -1, remotePort: 1 }] }],
    ["a forward to a port and a socket", { forwards: [{ remotePort: 1, remotePath: "/x" }] }],
    [
      "a forward from a port and a socket",
      { forwards: [{ localPort: 1, localPath: "/x", remotePort: 1 }] },
    ],
  ])("%s", (_, options) => {
    expect(() => createTunnel("me@box", options)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", final: true }),
    );
  });

  test.each([
    "",
    "-oProxyCommand=x",
    "me@-box",
    "me@box:0",
    "me@box:99999",
    "me box",
    "me@%h",
    "me@box;id",
    "ssh://me@box/nowhere",
    "ssh://me:secret@box",
  ])("the target %j", (target) => {
    expect(() => createTunnel(target)).toThrow(
      expect.objectContaining({ code: "INVALID_TARGET", final: true }),
    );
    expect(() => createTunnel(target)).not.toThrow(/secret/u);
  });

  test.each([
    { port: 0 },
    { port: -1 },
    { port: 65_536 },
    { port: 1.5 },
    { port: Number.NaN },
    { host: "", port: 80 },
    { socketPath: "" },
  ])("connect() to %o", async (destination) => {
    await using tunnel = createTunnel("me@127.0.0.1:1", { sshConfig: false, env: {} });
    await expect(tunnel.connect(destination)).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
