import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, hasSshd, sshTestRig } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import type { Destination } from "../../src/engines/engine.ts";
import { isRunning, openTo } from "./support.ts";

const onPort = (port: number): Destination => ({ host: "127.0.0.1", port });

// As with the ssh of Windows, which OpenSSH elsewhere does as well.
describe.skipIf(!hasSshd)("an ssh that cannot share a connection", () => {
  test("reaches what is known beforehand, and ends both ways on its own", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig, {
      engine: { canShare: false },
      options: { destinations: [onPort(rig.echo.port)] },
    });
    const channels = await Promise.all(
      [1, 2, 3].map(() => connection.connect(onPort(rig.echo.port))),
    );
    for (const [index, channel] of channels.entries()) {
      channel.end(`number ${index}`);
      // oxlint-disable-next-line no-await-in-loop
      expect(String(await once(channel, "data"))).toBe(`number ${index}`);
      // oxlint-disable-next-line no-await-in-loop
      await once(channel, "end");
    }
    expect(connection.info).toMatchObject({ name: "system", cryptography: "openssh" });
    await connection.close();
    expect(isRunning(connection.info.pid)).toBe(false);
    expect(await connection.closed).toBeUndefined();
  });

  test("tells a closed port from a forbidden one", async () => {
    const [closed, forbidden] = [await freePort(), await freePort()];
    await using rig = await sshTestRig({
      server: { config: [`PermitOpen 127.0.0.1:${closed}`] },
    });
    await using connection = await openTo(rig, {
      engine: { canShare: false },
      options: { destinations: [onPort(closed), onPort(forbidden)] },
    });
    const outcomes = await Promise.allSettled([
      connection.connect(onPort(forbidden)),
      connection.connect(onPort(closed)),
    ]);
    expect(outcomes).toMatchObject([
      { reason: { code: "FORWARD_REFUSED" } },
      { reason: { code: "REMOTE_PORT_CLOSED" } },
    ]);
  });

  test("says what it has not", async () => {
    await using rig = await sshTestRig();
    const engine = { canShare: false };
    await using connection = await openTo(rig, { engine });
    const unsupported = { code: "UNSUPPORTED_SETTING", final: true };
    await expect(connection.connect(onPort(rig.echo.port))).rejects.toMatchObject(unsupported);
    await expect(connection.connect({ socketPath: "/x" })).rejects.toMatchObject(unsupported);
    await expect(connection.run("true")).rejects.toMatchObject(unsupported);
    const destinations = [{ socketPath: "/x" }];
    await expect(openTo(rig, { engine, options: { destinations } })).rejects.toMatchObject(
      unsupported,
    );
  });

  test("is not started where the ssh config has forwards of its own", async () => {
    await using rig = await sshTestRig();
    const sshConfig = join(rig.home, "config");
    await writeFile(sshConfig, `LocalForward ${await freePort()} 127.0.0.1:1\n`, { mode: 0o600 });
    await expect(openTo(rig, { engine: { canShare: false, sshConfig } })).rejects.toMatchObject({
      code: "UNSAFE_SSH_CONFIG",
      details: { settings: ["LocalForward"] },
    });
  });

  test("fails as it does elsewhere, and tells when the server dies", async () => {
    await using rig = await sshTestRig();
    const engine = { canShare: false };
    const options = { destinations: [onPort(rig.echo.port)] };
    await using connection = await openTo(rig, { engine, options });
    const channel = await connection.connect(onPort(rig.echo.port));
    const closed = new Promise((resolve) => channel.once("close", resolve));
    channel.on("error", () => {});
    await rig.server.killConnections();
    await closed;
    expect(await connection.closed).toMatchObject({ code: "CONNECTION_LOST" });
    await expect(connection.probe(1000)).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await writeFile(rig.knownHosts, "");
    await expect(openTo(rig, { engine, options })).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
    });
    await rig.server.stop();
    await expect(openTo(rig, { engine, options })).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
    });
  });
});
