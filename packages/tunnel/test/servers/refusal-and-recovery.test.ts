import { once } from "node:events";
import { type SshTestRig, sshTestRig } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { dial, dialToEnd, endOf, readAll } from "../forwards/tcp.ts";
import { combinations, type TestedServer } from "./server-kinds.ts";
import { keepaliveIntervalMs, localPorts, openTunnelTo, recordStates } from "./tunnel-to.ts";

/** A port on which nothing listens: only root could, and nobody does. */
const CLOSED_PORT = 1;

for (const { kind, engine } of combinations) {
  describe.skipIf(!kind.isHere)(
    `how a tunnel fails and returns, to ${kind.name} over ${engine}`,
    () => {
      function start(): Promise<SshTestRig<TestedServer>> {
        return sshTestRig({ startServer: (key) => kind.start(key) });
      }

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
        expect(states.at(-1)).toMatchObject({
          kind: "closed",
          cause: { code: "HOST_KEY_CHANGED" },
        });
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
          keepaliveIntervalMs: keepaliveIntervalMs[engine],
          keepaliveCountMax: 2,
          connectTimeoutMs: 2_000,
        });
        const [port = 0] = localPorts(tunnel);

        rig.server.freeze();
        const frozenAt = performance.now();
        await vi.waitFor(() => expect(tunnel.state.kind).not.toBe("open"), { interval: 10 });

        // One interval passes before the first question; the rest is a busy machine's.
        expect(performance.now() - frozenAt).toBeLessThan(keepaliveIntervalMs[engine] * 3 + 1_500);
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
    },
  );
}
