import { buffer } from "node:stream/consumers";
import { type SshTestRig, sshTestRig } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { acceptor, dial, readAll } from "../forwards/tcp.ts";
import { fill } from "./fill.ts";
import { combinations, type TestedServer } from "./server-kinds.ts";
import { localPorts, openTunnelTo } from "./tunnel-to.ts";

const MIB = 1024 * 1024;

for (const { kind, engine } of combinations) {
  describe.skipIf(!kind.isHere)(`what goes through a tunnel to ${kind.name} over ${engine}`, () => {
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
      const writing = fill(await far.next());

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
      const writing = fill(stream);

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
  });
}
