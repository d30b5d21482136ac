import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { buffer } from "node:stream/consumers";
import { hasSshd, sshTestRig, temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { openTunnel } from "../../src/index.ts";
import { acceptor, dial, digestOf, endOf, readAll, readDigest } from "../forwards/tcp.ts";
import { fill } from "../servers/fill.ts";
import { engines, localPorts } from "../servers/tunnel-to.ts";
import { echoed, echoThrough, keyedHostLines, withConfig } from "./configured.ts";

const MIB = 1024 * 1024;

describe.skipIf(!hasSshd).each(engines)("forwards over %s", (engine) => {
  test("several share one connection, by port and by Unix socket on either side", async () => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const local = directory.file("local.sock");
    const remote = directory.file("remote.sock");
    const server = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
    server.listen(remote);
    await once(server, "listening");
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    await using tunnel = await openTunnel("box", {
      ...options,
      forwards: [
        { remotePort: rig.echo.port },
        { localPath: local, remotePort: rig.echo.port },
        { remotePath: remote },
        { localPath: directory.file("both.sock"), remotePath: remote },
      ],
    });

    const [first = 0, , third = 0] = localPorts(tunnel);
    const places = [
      { port: first },
      { path: local },
      { port: third },
      { path: directory.file("both.sock") },
    ];
    const answers = await Promise.all(
      places.map(async (place, index) => {
        const socket = await dial(place);
        socket.end(`number ${index}`);
        return readAll(socket);
      }),
    );

    expect(answers).toEqual(["number 0", "number 1", "number 2", "number 3"]);
    expect((await stat(local)).mode & 0o777).toBe(0o600);
    expect(rig.server.connections()).toHaveLength(1);
    expect(tunnel.forwards).toMatchObject([
      { local: { host: "127.0.0.1", port: first }, bytesIn: 8, bytesOut: 8 },
      { local: { path: local }, remote: { host: "127.0.0.1", port: rig.echo.port } },
      { remote: { path: remote } },
      { remote: { path: remote }, bytesIn: 8, bytesOut: 8 },
    ]);
    await tunnel.close();
    await expect(stat(local)).rejects.toMatchObject({ code: "ENOENT" });
    server.close();
  });

  test("the end of one direction passes through, and the other goes on, both ways", async () => {
    await using rig = await sshTestRig();
    await using far = await acceptor();
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    await using tunnel = await openTunnel("box", {
      ...options,
      forwards: [{ remotePort: far.port }],
    });
    const [port = 0] = localPorts(tunnel);

    const ours = await dial({ port });
    const theirs = await far.next();
    ours.end("ours");
    expect(await readAll(theirs)).toBe("ours");
    theirs.write("later, ");
    theirs.end("and last");
    expect(await readAll(ours)).toBe("later, and last");

    const next = await dial({ port });
    const greeter = await far.next();
    greeter.end("theirs first");
    expect(await readAll(next)).toBe("theirs first");
    next.write("still ");
    next.end("talking");
    expect(await readAll(greeter)).toBe("still talking");
    await vi.waitFor(() => expect(tunnel.forwards[0]?.connections).toBe(0));
  });

  test("twenty streams at once keep their bytes, while others are cut off in between", async () => {
    await using rig = await sshTestRig();
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    await using tunnel = await openTunnel("box", {
      ...options,
      forwards: [{ remotePort: rig.echo.port }],
    });
    const [port = 0] = localPorts(tunnel);

    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const bytes = randomBytes(300_000 + index);
        const socket =
          index % 2 === 0 ? await tunnel.connect({ port: rig.echo.port }) : await dial({ port });
        if (index % 3 === 0) {
          // Somewhere in the middle, each elsewhere.
          socket.on("error", () => {});
          socket.write(bytes.subarray(0, 17_000 * (index + 1)));
          await once(socket, "data");
          socket.destroy();
          return true;
        }
        socket.end(bytes);
        return (await readDigest(socket)) === digestOf(bytes);
      }),
    );

    expect(results).toEqual(results.map(() => true));
    await vi.waitFor(() => expect(rig.echo.connections).toEqual([]));
    await vi.waitFor(() => expect(tunnel.forwards[0]?.connections).toBe(0));
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    expect(tunnel.state).toMatchObject({ generation: 1 });
  });

  test("a reader that stalls slows nobody else on the connection", async () => {
    await using rig = await sshTestRig();
    await using far = await acceptor();
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    await using tunnel = await openTunnel("box", {
      ...options,
      forwards: [{ remotePort: far.port }],
    });
    const [port = 0] = localPorts(tunnel);
    const stalled = await tunnel.connect({ port: far.port });
    const writers = [await far.next()];
    const alsoStalled = await dial({ port });
    alsoStalled.pause();
    writers.push(await far.next());
    const filling = writers.map(fill);
    await Promise.all(filling.map((one) => one.isStill()));

    const bytes = randomBytes(8 * MIB);
    const busy = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const stream = await tunnel.connect({ port: rig.echo.port });
        stream.end(bytes);
        return (await buffer(stream)).equals(bytes);
      }),
    );

    expect(busy).toEqual([true, true, true, true]);
    // Neither of the two has moved in the meantime, and both can go on.
    const written = filling.map((one) => one.written());
    stalled.resume();
    alsoStalled.resume();
    for (const [index, before] of written.entries()) {
      // oxlint-disable-next-line no-await-in-loop
      await vi.waitFor(() => expect(filling[index]?.written()).toBeGreaterThan(before + MIB));
    }
    stalled.destroy();
    alsoStalled.destroy();
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("a far side that resets has the local connection reset, and not ended as if all had come", async () => {
    await using rig = await sshTestRig();
    await using far = await acceptor();
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    await using tunnel = await openTunnel("box", {
      ...options,
      forwards: [{ remotePort: 1 }, { remotePort: far.port }],
    });
    const [closed = 0, open = 0] = localPorts(tunnel);

    const refused = await dial({ port: closed }).then(endOf, (error: Error) => error.message);
    expect(refused).toMatch(/ECONNRESET/u);
    const socket = await dial({ port: open });
    const theirs = await far.next();
    expect(await Promise.all([echoed(socket, "x").catch(() => ""), answer()])).toEqual(["y", "x"]);
    expect(tunnel.state).toMatchObject({ kind: "open", generation: 1 });
    socket.destroy();

    async function answer(): Promise<string> {
      const [data] = (await once(theirs, "data")) as [Buffer];
      theirs.write("y");
      return data.toString();
    }
  });

  test("a port that is taken is refused before anybody is dialled, with its holder", async () => {
    await using rig = await sshTestRig();
    await using taken = await acceptor();
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });
    const forwards = [{ localPort: taken.port, remotePort: rig.echo.port }];

    await expect(openTunnel("box", { ...options, forwards })).rejects.toMatchObject({
      code: "LOCAL_PORT_BUSY",
      final: true,
      details: { holder: { pid: process.pid } },
    });
    expect(rig.server.log.filter((line) => line.startsWith("Connection from"))).toEqual([]);
    await using tunnel = await openTunnel("box", { ...options, forwards, fallbackPort: true });
    expect(tunnel.forwards[0]?.insteadOf).toBe(taken.port);
    expect(localPorts(tunnel)[0]).not.toBe(taken.port);
  });
});
