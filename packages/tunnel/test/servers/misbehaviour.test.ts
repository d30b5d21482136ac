import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import {
  hasAsyncssh,
  type MisbehavingSshServer,
  type MisbehavingSshServerOptions,
  type SshMisbehaviour,
  type SshTestRig,
  sshTestRig,
  startMisbehavingSshServer,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import {
  createTunnelTo,
  engines,
  keepaliveIntervalMs,
  openTunnelTo,
  recordStates,
} from "./tunnel-to.ts";

function start(
  behaviour: SshMisbehaviour,
  options: MisbehavingSshServerOptions = {},
): Promise<SshTestRig<MisbehavingSshServer>> {
  return sshTestRig({
    startServer: (key) =>
      startMisbehavingSshServer(behaviour, { authorizedKeys: [key], ...options }),
  });
}

function connections(rig: SshTestRig<MisbehavingSshServer>): number {
  return rig.server.events.filter(({ event }) => event === "connection").length;
}

for (const engine of engines) {
  describe.skipIf(!hasAsyncssh)(`a misbehaving server, seen over ${engine}`, () => {
    test.each([
      ["stall-before-banner", "handshake"],
      ["stall-after-banner", "handshake"],
      ["stall-authentication", "authentication"],
    ] as const)(
      "%s ends with TIMED_OUT in time, and the next attempt comes through",
      async (behaviour, stage) => {
        await using rig = await start("normal");
        await rig.server.behave(behaviour, { connections: 1 });
        const { onState, states } = recordStates();
        const startedAt = performance.now();

        await using tunnel = createTunnelTo(rig, { engine, connectTimeoutMs: 1_000, onState });
        await tunnel.opened();

        expect(states.find(({ kind }) => kind === "waiting")).toMatchObject({
          cause: { code: "TIMED_OUT", final: false, details: { stage } },
        });
        expect(performance.now() - startedAt).toBeGreaterThan(950);
        // The first one is not left to the server.
        await rig.server.event("closed");
      },
    );

    test("a frozen server, too, ends with TIMED_OUT before the handshake", async () => {
      await using rig = await start("normal");
      rig.server.process.freeze();

      await expect(openTunnelTo(rig, { engine, connectTimeoutMs: 1_000 })).rejects.toMatchObject({
        code: "TIMED_OUT",
        details: { stage: "handshake" },
      });
      rig.server.process.thaw();
    });

    test.each(["drop-mid-kex", "drop-after-auth"] as const)(
      "%s is a lost connection, and the tunnel opens when the server is well again",
      async (behaviour) => {
        await using rig = await start("normal");
        await rig.server.behave(behaviour, { connections: 3 });
        const { onState, causes } = recordStates();

        await using tunnel = createTunnelTo(rig, { engine, onState });
        await vi.waitFor(() => expect(connections(rig)).toBe(4));
        await vi.waitFor(() => expect(tunnel.state.kind).toBe("open"));

        expect(causes()).toEqual(Array.from({ length: 3 }, () => "CONNECTION_LOST"));
        const stream = await tunnel.connect({ port: rig.echo.port });
        stream.end("well again");
        expect(String(await buffer(stream))).toBe("well again");
      },
    );

    test("a key exchange that breaks off fails the first attempt of openTunnel, and not for good", async () => {
      await using rig = await start("drop-mid-kex");

      await expect(openTunnelTo(rig, { engine })).rejects.toMatchObject({
        code: "CONNECTION_LOST",
        final: false,
      });
      expect(connections(rig)).toBe(1);
    });

    test("a server that answers no keepalive is given up within interval × count", async () => {
      await using rig = await start("normal");
      const { onState, states } = recordStates();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        onState,
        keepaliveIntervalMs: keepaliveIntervalMs[engine],
        keepaliveCountMax: 2,
      });
      // It answers; nobody is given up.
      const stream = await tunnel.connect({ port: rig.echo.port });

      const failed = once(stream, "error");
      await rig.server.behave("ignore-keepalive");
      const deafAt = performance.now();
      const [error] = await failed;

      expect(error).toMatchObject({ name: "TunnelError", final: false });
      // One interval passes before the first question; the rest is a busy machine's.
      expect(performance.now() - deafAt).toBeLessThan(keepaliveIntervalMs[engine] * 3 + 1_500);
      await vi.waitFor(() =>
        expect(states.find(({ kind }) => kind === "waiting")).toMatchObject({
          cause: { code: "TIMED_OUT", final: false, details: { stage: "keepalive" } },
        }),
      );
      await rig.server.behave("normal");
      await vi.waitFor(() => expect(tunnel.state.kind).toBe("open"));
    });

    test("answered keepalives keep a silent tunnel open", async () => {
      await using rig = await start("normal");
      const { onState, causes } = recordStates();
      await using tunnel = await openTunnelTo(rig, {
        engine,
        onState,
        keepaliveIntervalMs: 50,
        keepaliveCountMax: 100,
      });

      const answered = (): number =>
        rig.server.events.filter(({ event }) => event === "global-request").length;
      await vi.waitFor(() => expect(answered()).toBeGreaterThanOrEqual(3));

      expect(tunnel.state.kind).toBe("open");
      expect(causes()).toEqual([]);
      expect(connections(rig)).toBe(1);
    });

    test("a server without sessions forwards, and refuses a command with COMMAND_REFUSED", async () => {
      await using rig = await start("no-session");
      await using tunnel = await openTunnelTo(rig, { engine });

      await expect(tunnel.run("true")).rejects.toMatchObject({ code: "COMMAND_REFUSED" });

      const stream = await tunnel.connect({ port: rig.echo.port });
      stream.end("through");
      expect(String(await buffer(stream))).toBe("through");
    });

    test("a failed connection on the far side and a forbidden one are told apart", async () => {
      await using rig = await start("connect-failed");
      await using tunnel = await openTunnelTo(rig, { engine });

      await expect(tunnel.connect({ port: rig.echo.port })).rejects.toMatchObject({
        code: "REMOTE_PORT_CLOSED",
        final: false,
      });
      await rig.server.behave("refuse-forward");
      await expect(tunnel.connect({ port: rig.echo.port })).rejects.toMatchObject({
        code: "FORWARD_REFUSED",
        final: true,
      });
      await rig.server.behave("normal");
      const stream = await tunnel.connect({ port: rig.echo.port });
      stream.end("through");
      expect(String(await buffer(stream))).toBe("through");
      expect(connections(rig)).toBe(1);
    });

    test("a channel that stalls takes a bounded number of bytes, and ends with the tunnel", async () => {
      await using rig = await start("stall-channel");
      await using tunnel = await openTunnelTo(rig, { engine });
      const stream = await tunnel.connect({ port: rig.echo.port });
      const ended = new Promise((resolve) => stream.once("close", resolve));
      stream.on("error", () => {});

      const chunk = Buffer.alloc(64 * 1024);
      let written = 0;
      do written += chunk.length;
      while (stream.write(chunk) && written < 64 * 1024 * 1024);

      expect(stream.writableNeedDrain).toBe(true);
      expect(stream.writableLength).toBeLessThanOrEqual(1024 * 1024);
      await rig.server.behave("normal");
      const other = await tunnel.connect({ port: rig.echo.port });
      other.end("not held up");
      expect(String(await buffer(other))).toBe("not held up");
      await tunnel.close();
      await ended;
    });

    test("a stalled command fails with TIMED_OUT, and the tunnel stays", async () => {
      await using rig = await start("stall-channel");
      await using tunnel = await openTunnelTo(rig, { engine });

      await expect(tunnel.run("true", { timeoutMs: 200 })).rejects.toMatchObject({
        code: "TIMED_OUT",
      });

      expect(tunnel.state.kind).toBe("open");
      await rig.server.behave("normal");
      expect(await tunnel.run("echo out")).toMatchObject({ exitCode: 0, stdout: "out\n" });
    });

    test("a host key that is another each time is refused at once, and once", async () => {
      await using rig = await start("change-host-key");
      const { onState, causes } = recordStates();
      const tunnel = createTunnelTo(rig, { engine, onState });

      expect(await tunnel.closed).toMatchObject({ code: "HOST_KEY_CHANGED", final: true });
      await expect(tunnel.opened()).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
      expect(causes()).toEqual([]);
      expect(connections(rig)).toBe(1);
      // No one has tried to log in.
      expect(rig.server.events.filter(({ event }) => event === "auth")).toEqual([]);
    });
  });
}

describe.skipIf(!hasAsyncssh)("a server that wants more than a key", () => {
  test("without a callback nobody is asked, and the server's methods are told", async () => {
    await using rig = await start("password-only");

    await expect(openTunnelTo(rig, { engine: "ssh2" })).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      final: true,
    });
    expect(connections(rig)).toBe(1);
  });

  test("a password opens the tunnel", async () => {
    await using rig = await start("password-only", { password: "tulips and trams" });
    const asked: unknown[] = [];
    await using tunnel = await openTunnelTo(rig, {
      engine: "ssh2",
      authentication: {
        password: async (prompt) => {
          asked.push(prompt);
          return rig.server.password;
        },
      },
    });

    expect(asked).toEqual([{ user: rig.server.user, host: rig.server.host }]);
    expect(tunnel.state.kind).toBe("open");
  });

  test("a wrong password is refused, for good, and shown nowhere", async () => {
    await using rig = await start("password-only");
    const opening = openTunnelTo(rig, {
      engine: "ssh2",
      authentication: { password: async () => "wrong horse" },
    });

    const error: unknown = await opening.then(
      () => undefined,
      (reason: unknown) => reason,
    );

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED", final: true });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("wrong horse");
    const refusals = rig.server.events.filter(
      (event) => event.event === "auth" && event.outcome === "refused",
    );
    expect(refusals.length).toBeGreaterThanOrEqual(1);
  });

  test("each question of keyboard-interactive is asked, and the answers open the tunnel", async () => {
    await using rig = await start("keyboard-interactive");
    const asked: unknown[] = [];
    await using tunnel = await openTunnelTo(rig, {
      engine: "ssh2",
      authentication: {
        keyboardInteractive: async ({ prompts }) => {
          asked.push(...prompts);
          return rig.server.prompts.map(({ answer }) => answer);
        },
      },
    });

    expect(asked).toEqual(rig.server.prompts.map(({ text, echo }) => ({ text, echo })));
    expect(tunnel.state.kind).toBe("open");
  });
});
