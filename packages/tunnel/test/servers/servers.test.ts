import { once } from "node:events";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type SshTestRig, sshTestRig } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import type { Tunnel } from "../../src/index.ts";
import { acceptor, dial, dialToEnd, endOf } from "../forwards/tcp.ts";
import { serverKinds, type TestedServer } from "./server-kinds.ts";
import { engines, openTunnelTo, recordStates } from "./tunnel-to.ts";

/** A port on which nothing listens: only root could, and nobody does. */
const CLOSED_PORT = 1;

const combinations = serverKinds.flatMap((kind) => engines.map((engine) => ({ kind, engine })));

for (const { kind, engine } of combinations) {
  describe.skipIf(!kind.isHere)(`a tunnel to ${kind.name} over ${engine}`, () => {
    function start(): Promise<SshTestRig<TestedServer>> {
      return sshTestRig({ startServer: (key) => kind.start(key) });
    }

    test("carries a stream without a local port", async () => {
      await using rig = await start();
      await using tunnel = await openTunnelTo(rig, { engine });

      const stream = await tunnel.connect({ port: rig.echo.port });
      stream.end("through and back");

      expect(await readAll(stream)).toBe("through and back");
      expect(tunnel.state).toMatchObject({ kind: "open", engine: { name: engine } });
      expect(rig.server.accepted()).toBe(1);
    });

    test("forwards several ports through one connection", async () => {
      await using rig = await start();
      await using other = await acceptor();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        forwards: [{ remotePort: rig.echo.port }, { remotePort: other.port }],
      });

      const [first = 0, second = 0] = localPorts(tunnel);
      const echoed = await dial({ port: first });
      const greeted = await dial({ port: second });
      echoed.end("hello");
      (await other.next()).end("welcome");

      expect(await readAll(echoed)).toBe("hello");
      expect(await readAll(greeted)).toBe("welcome");
      expect(rig.server.accepted()).toBe(1);
      greeted.end();
    });

    test("sixty-four connections at once each get their own bytes, whole", async () => {
      await using rig = await start();
      await using tunnel = await openTunnelTo(rig, { engine });

      const answers = await Promise.all(
        Array.from({ length: 64 }, async (_, index) => {
          const stream = await tunnel.connect({ port: rig.echo.port });
          stream.end(Buffer.alloc(50_000, index));
          return buffer(stream);
        }),
      );

      const isOwn = answers.map((answer, index) => answer.equals(Buffer.alloc(50_000, index)));
      expect(isOwn).toEqual(Array.from({ length: 64 }, () => true));
    });

    test("passes the end of one direction on, and the other goes on", async () => {
      await using rig = await start();
      await using far = await acceptor();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        forwards: [{ remotePort: far.port }],
      });

      const asking = await dial({ port: localPorts(tunnel)[0] ?? 0 });
      const asked = await far.next();
      asking.end("question");
      const question = await readAll(asked);
      asked.end(`answer to ${question}`);
      expect(await readAll(asking)).toBe("answer to question");

      const listening = await dial({ port: localPorts(tunnel)[0] ?? 0 });
      const talking = await far.next();
      talking.end("first");
      expect(await readAll(listening)).toBe("first");
      listening.end("last word");
      expect(await readAll(talking)).toBe("last word");
    });

    test("a reader that stalls holds a bounded number of bytes, and holds up nobody else", async () => {
      await using rig = await start();
      await using far = await acceptor();
      await using tunnel = await openTunnelTo(rig, { engine });
      const stalled = await tunnel.connect({ port: far.port });
      const writing = writeUntilStill(await far.next());

      await writing.isStill();

      expect(stalled.readableLength).toBeLessThanOrEqual(3 * MIB);
      // What lies in two kernels and in the server on the way comes on top.
      expect(writing.written()).toBeLessThanOrEqual(32 * MIB);
      const other = await tunnel.connect({ port: rig.echo.port });
      other.end("not held up");
      expect(await readAll(other)).toBe("not held up");
      const atRest = writing.written();
      stalled.resume();
      await vi.waitFor(() => expect(writing.written()).toBeGreaterThan(atRest + 4 * MIB));
      stalled.destroy();
    });

    test("a far side that does not read stops the writer, and holds up nobody else", async () => {
      await using rig = await start();
      await using far = await acceptor();
      await using tunnel = await openTunnelTo(rig, { engine });
      const stream = await tunnel.connect({ port: far.port });
      const deaf = await far.next();
      deaf.pause();
      const writing = writeUntilStill(stream);

      await writing.isStill();

      expect(stream.writableLength).toBeLessThanOrEqual(MIB);
      const other = await tunnel.connect({ port: rig.echo.port });
      other.end("not held up");
      expect(await readAll(other)).toBe("not held up");
      const atRest = writing.written();
      deaf.resume();
      await vi.waitFor(() => expect(writing.written()).toBeGreaterThan(atRest + 4 * MIB));
      stream.destroy();
    });

    test("a closed remote port fails one connection with REMOTE_PORT_CLOSED", async () => {
      await using rig = await start();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        forwards: [{ remotePort: CLOSED_PORT }],
      });

      await expect(tunnel.connect({ port: CLOSED_PORT })).rejects.toMatchObject({
        code: "REMOTE_PORT_CLOSED",
        final: false,
      });
      expect(await dialToEnd(localPorts(tunnel)[0] ?? 0)).toBe("ECONNRESET");
      expect(tunnel.state.kind).toBe("open");
      expect(rig.server.accepted()).toBe(1);
    });

    test("a forbidden forward fails with FORWARD_REFUSED", async () => {
      await using rig = await start();
      await rig.server.refuseForwards();
      await using tunnel = await openTunnelTo(rig, { engine });

      await expect(tunnel.connect({ port: rig.echo.port })).rejects.toMatchObject({
        code: "FORWARD_REFUSED",
        final: true,
      });
      expect(rig.echo.accepted).toBe(0);
      expect(tunnel.state.kind).toBe("open");
    });

    test("a command tells its output and how it ended", async () => {
      await using rig = await start();
      await using tunnel = await openTunnelTo(rig, { engine });

      const result = await tunnel.run("echo out; echo err >&2; exit 7");

      expect(result).toEqual({ exitCode: 7, signal: null, stdout: "out\n", stderr: "err\n" });
    });

    test("a changed host key is refused, shown beside the known one, and tried once", async () => {
      await using rig = await start();
      const known = rig.server.fingerprint();
      await rig.server.changeHostKey();
      const { onState, causes } = recordStates();

      await expect(openTunnelTo(rig, { engine, onState })).rejects.toMatchObject({
        code: "HOST_KEY_CHANGED",
        final: true,
        details: { fingerprint: rig.server.fingerprint(), expected: [known] },
      });
      expect(known).not.toBe(rig.server.fingerprint());
      expect(causes()).toEqual([]);
      expect(rig.server.accepted()).toBe(1);
    });

    test("a host key that changes while the tunnel is open closes it for good", async () => {
      await using rig = await start();
      const { onState, states } = recordStates();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        onState,
        forwards: [{ remotePort: rig.echo.port }],
      });
      const port = localPorts(tunnel)[0] ?? 0;

      await rig.server.changeHostKey();

      expect(await tunnel.closed).toMatchObject({ code: "HOST_KEY_CHANGED", final: true });
      expect(states.filter(({ kind: state }) => state === "open")).toHaveLength(1);
      expect(states.at(-1)).toMatchObject({ kind: "closed", cause: { code: "HOST_KEY_CHANGED" } });
      expect(await dialToEnd(port)).toBe("ECONNREFUSED");
    });

    test("comes back on the same local port when its connection is lost", async () => {
      await using rig = await start();
      const { onState, states } = recordStates();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        onState,
        forwards: [{ remotePort: rig.echo.port }],
      });
      const [port = 0] = localPorts(tunnel);
      const interrupted = await dial({ port });
      interrupted.write("lost on the way");
      await once(interrupted, "data");

      const ending = endOf(interrupted);
      await rig.server.dropConnections();

      expect(await ending).toBe("ECONNRESET");
      await tunnel.ready();
      expect(localPorts(tunnel)).toEqual([port]);
      const next = await dial({ port });
      next.end("back again");
      expect(await readAll(next)).toBe("back again");
      expect(states.filter(({ kind: state }) => state === "open")).toHaveLength(2);
    });

    test("a frozen server is noticed within interval × count, and the tunnel comes back", async () => {
      await using rig = await start();
      const { onState, states } = recordStates();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        onState,
        forwards: [{ remotePort: rig.echo.port }],
        keepaliveIntervalMs: 500,
        keepaliveCountMax: 2,
        connectTimeoutMs: 2_000,
      });
      const [port = 0] = localPorts(tunnel);

      rig.server.freeze();
      const frozenAt = performance.now();
      await vi.waitFor(() => expect(tunnel.state.kind).not.toBe("open"), { interval: 10 });

      // One interval passes before the first question; the rest is a busy machine's.
      expect(performance.now() - frozenAt).toBeLessThan(500 * 3 + 1_500);
      expect(states.find(({ kind: state }) => state === "waiting")).toMatchObject({
        cause: { code: "TIMED_OUT", final: false, details: { stage: "keepalive" } },
      });
      const early = await dial({ port });
      early.write("arrived in the gap");
      rig.server.thaw();
      expect(String((await once(early, "data"))[0])).toBe("arrived in the gap");
    });

    test("leaves no connection behind when it is closed", async () => {
      await using rig = await start();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        forwards: [{ remotePort: rig.echo.port }],
      });
      const [port = 0] = localPorts(tunnel);
      const local = await dial({ port });
      local.write("open");
      await once(local, "data");
      const ending = endOf(local);

      await tunnel.close();

      expect(await ending).toBe("ECONNRESET");
      expect(await tunnel.closed).toBeUndefined();
      expect(await dialToEnd(port)).toBe("ECONNREFUSED");
      await vi.waitFor(() => expect(rig.echo.connections).toEqual([]));
    });
  });
}

const MIB = 1024 * 1024;

/** Writes as much as a stream takes, for as long as it lives. */
function writeUntilStill(stream: Duplex): { written(): number; isStill(): Promise<void> } {
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  const more = (): void => {
    let hasRoom = !stream.destroyed;
    while (hasRoom) {
      hasRoom = stream.write(chunk);
      written += chunk.length;
    }
  };
  stream.on("drain", more);
  stream.on("error", () => {});
  more();
  return {
    written: () => written,
    /** Nothing has moved for a while: the buffers on the way are full. */
    async isStill() {
      let before = -1;
      await vi.waitFor(
        () => {
          const isAtRest = written === before;
          before = written;
          expect(isAtRest).toBe(true);
        },
        { interval: 300, timeout: 20_000 },
      );
    },
  };
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  return (await buffer(stream)).toString();
}

function localPorts(tunnel: Tunnel): number[] {
  return tunnel.forwards.map(({ local }) => ("port" in local ? local.port : 0));
}
