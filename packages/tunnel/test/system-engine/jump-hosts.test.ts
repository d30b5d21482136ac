import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasSshd, generateSshKey, sshTestRig, startOpenSshServer } from "@openclaw/testkit";
import type { SshServer, SshTestRig } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import type { SshConnection } from "../../src/engines/engine.ts";
import { createSystemEngine } from "../../src/engines/system/open-system-connection.ts";
import { resolveHops, resolveSshSettings } from "../../src/settings/resolve-settings.ts";
import { engineOptionsFor } from "./support.ts";

interface Chain extends AsyncDisposable {
  readonly rig: SshTestRig;
  readonly first: SshServer;
  readonly second: SshServer;
  readonly sshConfig: string;
  open(): Promise<SshConnection & AsyncDisposable>;
}

/** A target behind two hosts, each with a key and a port of its own. */
async function chainOfTwo({
  more = "",
  firstConfig = [] as readonly string[],
} = {}): Promise<Chain> {
  const rig = await sshTestRig();
  const authorizedKeys = [rig.publicKey];
  const first = await startOpenSshServer({ authorizedKeys, config: firstConfig });
  const second = await startOpenSshServer({ authorizedKeys });
  const sshConfig = join(rig.home, "config");
  await writeFile(
    rig.knownHosts,
    [rig.server, first, second].map(({ knownHostsLine }) => `${knownHostsLine}\n`).join(""),
  );
  const host = (alias: string, { port }: { port: number }, extra = ""): string =>
    `Host ${alias}\n  HostName 127.0.0.1\n  Port ${port}\n${extra}`;
  await writeFile(
    sshConfig,
    [
      more,
      host("target", rig.server, "  ProxyJump first,second\n"),
      host("first", first),
      host("second", second),
      `Host *\n  User ${rig.server.user}\n  IdentityFile ${rig.identity}\n  IdentitiesOnly yes\n`,
      `  UserKnownHostsFile ${rig.knownHosts}\n  GlobalKnownHostsFile /dev/null\n`,
    ].join(""),
    { mode: 0o600 },
  );
  return {
    ...{ rig, first, second, sshConfig },
    async open() {
      const from = { env: rig.env, sshConfig };
      const settings = await resolveSshSettings({ host: "target" }, from);
      const hops = await resolveHops(settings, from);
      const open = createSystemEngine({ env: rig.env, sshConfig });
      const options = engineOptionsFor(rig, { settings, hops });
      const connection = await open(options, new AbortController().signal);
      return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
    },
    async [Symbol.asyncDispose]() {
      for (const part of [rig, first, second]) {
        // oxlint-disable-next-line no-await-in-loop
        await part[Symbol.asyncDispose]();
      }
    },
  };
}

describe.skipIf(!hasSshd)("a chain of two hosts", () => {
  test("leads to the target, and ends with the connection", async () => {
    await using chain = await chainOfTwo();
    await using connection = await chain.open();
    expect(await connection.run("echo there")).toMatchObject({ stdout: "there\n" });
    for (const server of [chain.first, chain.second, chain.rig.server]) {
      expect(server.connections()).toHaveLength(1);
    }
    expect(connection.info.hostKey).toMatchObject({
      fingerprint: chain.rig.server.hostKeys[0]?.fingerprint,
    });
  });

  test("is hardened on every host: no agent, no command, no changed key", async () => {
    await using chain = await chainOfTwo({
      more: "Host *\n  ForwardAgent yes\n  StdinNull yes\n  PermitLocalCommand yes\n  LocalCommand false\n  StrictHostKeyChecking no\n",
    });
    await using connection = await chain.open();
    expect(await connection.run("echo there")).toMatchObject({ stdout: "there\n" });
    await connection.close();
    const other = await generateSshKey({ directory: chain.rig.home });
    const known = await readFile(chain.rig.knownHosts, "utf8");
    const changed = known.replace(
      chain.second.knownHostsLine,
      `[127.0.0.1]:${chain.second.port} ${other.publicKey}`,
    );
    await writeFile(chain.rig.knownHosts, changed);
    await expect(chain.open()).rejects.toMatchObject({
      code: "HOST_KEY_CHANGED",
      final: true,
      message: expect.stringContaining("jump host second"),
      details: {
        hop: expect.stringContaining("second"),
        fingerprint: chain.second.hostKeys[0]?.fingerprint,
        expected: [other.fingerprint],
      },
    });
  });

  test("names the host that refuses the login", async () => {
    await using chain = await chainOfTwo();
    await chain.first.restart({ config: ["AuthorizedKeysFile none"] });
    await expect(chain.open()).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      details: { hop: expect.stringContaining("first") },
    });
  });

  test("names the host that does not pass on, and the one that is not there", async () => {
    await using chain = await chainOfTwo({ firstConfig: ["AllowTcpForwarding no"] });
    await expect(chain.open()).rejects.toMatchObject({
      code: "FORWARD_REFUSED",
      details: { hop: expect.stringContaining("first") },
    });
    await chain.first.restart({ config: [] });
    await chain.second.stop();
    await expect(chain.open()).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
      message: expect.stringContaining(`second (127.0.0.1:${chain.second.port})`),
      details: { hop: expect.stringContaining("first") },
    });
    await chain.first.stop();
    await expect(chain.open()).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
      details: { hop: expect.stringContaining("first") },
    });
  });

  test("a host on the way that dies ends the connection and everything it has started", async () => {
    await using chain = await chainOfTwo();
    await using connection = await chain.open();
    await chain.first.killConnections();
    expect(await connection.closed).toMatchObject({ code: "CONNECTION_LOST", final: false });
    await vi.waitFor(() => {
      for (const server of [chain.first, chain.second, chain.rig.server]) {
        expect(server.connections()).toHaveLength(0);
      }
    });
  });
});
