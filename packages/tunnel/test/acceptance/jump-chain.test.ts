import { writeFile } from "node:fs/promises";
import { generateSshKey, hasSshd, type SshTestRig, sshTestRig } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { openTunnel, type TunnelOptions } from "../../src/index.ts";
import { engines } from "../servers/tunnel-to.ts";
import { echoed, echoThrough, keyedHostLines, withConfig } from "./configured.ts";

/** Another account of this machine, where the server may let one in: that takes root. */
const OTHER_USER = process.getuid?.() === 0 ? "nobody" : undefined;

interface Chain extends AsyncDisposable {
  readonly first: SshTestRig;
  readonly middle: SshTestRig;
  readonly far: SshTestRig;
  /** Reads an ssh_config in which `far` is reached through `first` and then `middle`. */
  readonly options: TunnelOptions;
}

/** Three servers on three ports, each with a key of its own to log in with, one for another user. */
async function chain(): Promise<Chain> {
  const [first, middle, far] = await Promise.all([sshTestRig(), sshTestRig(), sshTestRig()]);
  const user = OTHER_USER ?? first.server.user;
  if (OTHER_USER !== undefined) {
    // Its owner cannot read into the directory of the server.
    const keys = first.knownHosts.replace("known_hosts", "authorized");
    await writeFile(keys, first.publicKey);
    await first.server.restart({
      config: [`AuthorizedKeysCommand /bin/cat ${keys}`, "AuthorizedKeysCommandUser root"],
    });
  }
  const lines = [
    ...keyedHostLines("first", first).filter((line) => !line.startsWith("  User ")),
    `  User ${user}`,
    ...keyedHostLines("middle", middle),
    ...keyedHostLines("far", far),
    "  ProxyJump first,middle",
  ];
  const options = await withConfig(far, lines);
  return {
    ...{ first, middle, far, options },
    async [Symbol.asyncDispose]() {
      await Promise.all([first, middle, far].map((rig) => rig.stop()));
    },
  };
}

describe.skipIf(!hasSshd).each(engines)("a chain of two jump hosts over %s", (engine) => {
  test("leads through both, each with its own user, key and port, and ends with the tunnel", async () => {
    await using through = await chain();
    const { first, middle, far, options } = through;
    const tunnel = await openTunnel("far", { ...options, engine });

    expect(await echoThrough(tunnel, far.echo.port)).toBe("hello");
    for (const { server } of [first, middle, far]) expect(server.connections()).toHaveLength(1);
    const user = OTHER_USER ?? first.server.user;
    expect(first.server.log.join("\n")).toContain(`Accepted publickey for ${user} `);
    await tunnel.close();
    await vi.waitFor(() => {
      for (const { server } of [first, middle, far]) expect(server.connections()).toEqual([]);
    });
  });

  test("names the host whose key has changed, and is not tried again", async () => {
    await using through = await chain();
    const { middle, far, options } = through;
    await using tunnel = await openTunnel("far", { ...options, engine });
    const stream = await tunnel.connect({ port: far.echo.port });
    const broken = new Promise((resolve) => stream.once("error", resolve));
    expect(await echoed(stream, "three hosts")).toBe("three hosts");
    const before = middle.server.hostKeys[0]?.fingerprint;
    const after = await generateSshKey({ directory: middle.home });

    await middle.server.restart({ hostKeys: [after] });

    await expect(broken).resolves.toMatchObject({ code: "CONNECTION_LOST" });
    expect(await tunnel.closed).toMatchObject({
      code: "HOST_KEY_CHANGED",
      final: true,
      message: expect.stringContaining("middle"),
      details: {
        hop: expect.stringContaining("middle"),
        fingerprint: after.fingerprint,
        expected: [before],
      },
    });
    expect(tunnel.state.kind).toBe("closed");
  });

  test("names the host that lets nobody in", async () => {
    await using through = await chain();
    const { middle, options } = through;
    await middle.server.restart({ config: ["PubkeyAuthentication no"] });

    await expect(openTunnel("far", { ...options, engine })).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      details: { hop: expect.stringContaining("middle") },
    });
  });

  test("names the host that is away, and comes back when that does", async () => {
    await using through = await chain();
    const { first, middle, far, options } = through;
    await middle.server.stop();
    await expect(openTunnel("far", { ...options, engine })).rejects.toMatchObject({
      final: false,
      message: expect.stringContaining(String(middle.server.port)),
    });
    await vi.waitFor(() => expect(first.server.connections()).toEqual([]));
    await middle.server.restart();
    await using tunnel = await openTunnel("far", { ...options, engine });

    await first.server.killConnections();

    await vi.waitFor(() => expect(tunnel.state).toMatchObject({ kind: "open", generation: 2 }));
    expect(await echoThrough(tunnel, far.echo.port)).toBe("hello");
  });
});
