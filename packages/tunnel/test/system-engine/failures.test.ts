import { createServer } from "node:net";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AddressInfo, Socket } from "node:net";
import {
  createFaultProxy,
  freePort,
  generateSshKey,
  hasSshd,
  sshTestRig,
  startSshAgent,
} from "@openclaw/testkit";
import type { SshTestRig } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import type { ShownHostKey } from "../../src/engines/engine.ts";
import type { SshSettings } from "../../src/settings/ssh-settings.ts";
import { openTo, settingsFor, type OpenOptions } from "./support.ts";

/** The settings of a rig with some of them changed. */
function changed(rig: SshTestRig, change: Partial<SshSettings>): OpenOptions {
  return { options: { settings: { ...settingsFor(rig), ...change } } };
}

/** The settings of a rig for another place. */
function elsewhere(rig: SshTestRig, host: string, port: number): SshSettings {
  return {
    ...settingsFor(rig),
    hostName: host,
    port,
    target: { host, port, user: rig.server.user },
  };
}

async function keyFile(rig: SshTestRig, passphrase?: string): Promise<string> {
  const directory = await mkdtemp(join(rig.home, "keys-"));
  const key = await generateSshKey({ directory, ...(passphrase && { passphrase }) });
  return key.privateKeyPath;
}

describe.skipIf(!hasSshd)("the way there", () => {
  test("a name without an address", async () => {
    await using rig = await sshTestRig();
    const settings = elsewhere(rig, "no-such-host.invalid", 22);
    await expect(openTo(rig, { options: { settings } })).rejects.toMatchObject({
      code: "NAME_NOT_RESOLVED",
      final: false,
      message: expect.stringContaining("no-such-host.invalid"),
    });
  });

  test("a port on which nothing listens", async () => {
    await using rig = await sshTestRig();
    const settings = elsewhere(rig, "127.0.0.1", await freePort());
    await expect(openTo(rig, { options: { settings } })).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
      final: false,
    });
  });

  test("a host that accepts and says nothing", async () => {
    await using rig = await sshTestRig();
    await using proxy = await createFaultProxy({ target: rig.server });
    await proxy.accept("blackhole");
    const settings = elsewhere(rig, "127.0.0.1", proxy.port);
    const options = { settings, connectTimeoutMs: 700 };
    await expect(openTo(rig, { options })).rejects.toMatchObject({
      code: "TIMED_OUT",
      final: false,
      details: { stage: "handshake" },
    });
  });

  test("a host that resets", async () => {
    await using rig = await sshTestRig();
    await using proxy = await createFaultProxy({ target: rig.server });
    await proxy.accept("reset");
    const settings = elsewhere(rig, "127.0.0.1", proxy.port);
    await expect(openTo(rig, { options: { settings } })).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      final: false,
    });
  });

  test("a web server on the port", async () => {
    await using rig = await sshTestRig();
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", () =>
        socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const settings = elsewhere(rig, "127.0.0.1", (server.address() as AddressInfo).port);
    await expect(openTo(rig, { options: { settings } })).rejects.toMatchObject({ code: "NOT_SSH" });
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test("a server that shares no cipher", async () => {
    await using rig = await sshTestRig({ server: { config: ["Ciphers aes256-ctr"] } });
    const sshConfig = join(rig.home, "config");
    await writeFile(sshConfig, "Ciphers aes128-ctr\n", { mode: 0o600 });
    const ciphers = { ciphers: ["aes128-ctr"] };
    await expect(
      openTo(rig, { ...changed(rig, { algorithms: ciphers }), engine: { sshConfig } }),
    ).rejects.toMatchObject({
      code: "NO_COMMON_ALGORITHM",
      final: true,
      details: { kind: "cipher", offered: ["aes256-ctr"] },
    });
  });

  test("a ProxyCommand that ends", async () => {
    await using rig = await sshTestRig();
    const sshConfig = join(rig.home, "config");
    await writeFile(sshConfig, "ProxyCommand sh -c 'echo no way >&2; exit 1'\n", { mode: 0o600 });
    await expect(openTo(rig, { engine: { sshConfig } })).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      message: expect.stringMatching(/ProxyCommand .* no way/u),
    });
  });

  test("an ssh config with a mistake", async () => {
    await using rig = await sshTestRig();
    const sshConfig = join(rig.home, "config");
    await writeFile(sshConfig, "Host *\n  Fnord yes\n", { mode: 0o600 });
    await expect(openTo(rig, { engine: { sshConfig } })).rejects.toMatchObject({
      code: "INVALID_SSH_CONFIG",
      final: true,
      details: { file: sshConfig, line: 2 },
    });
  });

  test("a program that is not there, and one that is no ssh", async () => {
    await using rig = await sshTestRig();
    for (const sshProgram of [join(rig.home, "ssh"), "/bin/echo"]) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(openTo(rig, { engine: { sshProgram } })).rejects.toMatchObject({
        code: "ENGINE_MISSING",
        final: true,
      });
    }
  });
});

describe.skipIf(!hasSshd)("the host key", () => {
  test("an unknown one is refused, with its fingerprint", async () => {
    await using rig = await sshTestRig();
    await writeFile(rig.knownHosts, "");
    await expect(openTo(rig)).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      final: true,
      details: { fingerprint: rig.server.hostKeys[0]?.fingerprint, keyType: "ssh-ed25519" },
    });
    expect(await readFile(rig.knownHosts, "utf8")).toBe("");
  });

  test("an unknown one is recorded and told where new ones are accepted", async () => {
    await using rig = await sshTestRig();
    await writeFile(rig.knownHosts, "");
    const told: ShownHostKey[] = [];
    const onNewHostKey = (key: ShownHostKey): void => void told.push(key);
    const options = { hostKeyPolicy: "accept-new", onNewHostKey } as const;
    await using first = await openTo(rig, { options });
    expect(first.info.name).toBe("system");
    expect(told).toEqual([
      {
        name: `[127.0.0.1]:${rig.server.port}`,
        keyType: "ssh-ed25519",
        fingerprint: rig.server.hostKeys[0]?.fingerprint,
      },
    ]);
    expect(await readFile(rig.knownHosts, "utf8")).toContain(rig.server.knownHostsLine);
    await using second = await openTo(rig, { options: { hostKeyPolicy: "strict" } });
    expect(second.info.name).toBe("system");
    expect(told).toHaveLength(1);
  });

  test.each(["strict", "accept-new", "openssh"] as const)(
    "a changed one is refused with both fingerprints under the policy %s",
    async (hostKeyPolicy) => {
      await using rig = await sshTestRig();
      const other = await generateSshKey({ directory: rig.home });
      const line = `[127.0.0.1]:${rig.server.port} ${other.publicKey}\n`;
      await writeFile(rig.knownHosts, line);
      const settings = { ...settingsFor(rig), strictHostKeyChecking: "no" } as const;
      await expect(openTo(rig, { options: { settings, hostKeyPolicy } })).rejects.toMatchObject({
        code: "HOST_KEY_CHANGED",
        final: true,
        details: {
          fingerprint: rig.server.hostKeys[0]?.fingerprint,
          expected: [other.fingerprint],
          file: rig.knownHosts,
          line: 1,
        },
      });
      expect(await readFile(rig.knownHosts, "utf8")).toBe(line);
    },
  );

  test("a key of another type is a changed one, also where new ones are accepted", async () => {
    await using rig = await sshTestRig();
    const other = await generateSshKey({ directory: rig.home, type: "ecdsa" });
    await writeFile(rig.knownHosts, `[127.0.0.1]:${rig.server.port} ${other.publicKey}\n`);
    await expect(openTo(rig, { options: { hostKeyPolicy: "accept-new" } })).rejects.toMatchObject({
      code: "HOST_KEY_CHANGED",
      details: { expected: [other.fingerprint] },
    });
  });

  test("a revoked one is refused", async () => {
    await using rig = await sshTestRig();
    await appendFile(rig.knownHosts, `@revoked * ${rig.server.hostKeys[0]?.publicKey}\n`);
    await expect(openTo(rig)).rejects.toMatchObject({
      code: "HOST_KEY_REVOKED",
      final: true,
      details: { fingerprint: rig.server.hostKeys[0]?.fingerprint },
    });
  });

  test("no setting of the ssh config lets a changed one pass", async () => {
    await using rig = await sshTestRig();
    const other = await generateSshKey({ directory: rig.home });
    await writeFile(rig.knownHosts, `[127.0.0.1]:${rig.server.port} ${other.publicKey}\n`);
    const sshConfig = join(rig.home, "config");
    await writeFile(
      sshConfig,
      "StrictHostKeyChecking no\nNoHostAuthenticationForLocalhost yes\nVerifyHostKeyDNS yes\n",
      { mode: 0o600 },
    );
    await expect(
      openTo(rig, { engine: { sshConfig }, options: { hostKeyPolicy: "openssh" } }),
    ).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
  });

  test("a pinned one is accepted without known_hosts", async () => {
    await using rig = await sshTestRig();
    await writeFile(rig.knownHosts, "");
    const hostKeyFingerprint = rig.server.hostKeys[0]?.fingerprint;
    await using connection = await openTo(rig, { options: { hostKeyFingerprint } });
    expect(connection.info.hostKey).toMatchObject({ fingerprint: hostKeyFingerprint });
    expect(await readFile(rig.knownHosts, "utf8")).toBe("");
  });

  test("another than the pinned one is refused before anything is offered", async () => {
    await using rig = await sshTestRig({ server: { config: ["LogLevel DEBUG1"] } });
    const { fingerprint } = await generateSshKey({ directory: rig.home });
    await expect(
      openTo(rig, { options: { hostKeyFingerprint: fingerprint } }),
    ).rejects.toMatchObject({
      code: "HOST_KEY_CHANGED",
      final: true,
      details: {
        fingerprint: rig.server.hostKeys[0]?.fingerprint,
        expected: [fingerprint],
      },
    });
    await vi.waitFor(() => expect(rig.server.connections()).toHaveLength(0));
    expect(rig.server.log.join("\n")).not.toMatch(
      /method (?:publickey|password|keyboard-interactive)/u,
    );
  });
});

describe.skipIf(!hasSshd)("authentication", () => {
  test("a key that the server does not know", async () => {
    await using rig = await sshTestRig();
    const identity = await keyFile(rig);
    await expect(
      openTo(rig, { ...changed(rig, { identityFiles: [identity] }), engine: { identity } }),
    ).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      final: true,
      details: {
        tried: [`publickey ${identity}`],
        offered: expect.arrayContaining(["publickey"]),
      },
    });
  });

  test("an encrypted key that nobody opens", async () => {
    await using rig = await sshTestRig();
    const identity = await keyFile(rig, "correct horse");
    await rig.server.authorize(await readFile(`${identity}.pub`, "utf8"));
    await expect(
      openTo(rig, { ...changed(rig, { identityFiles: [identity] }), engine: { identity } }),
    ).rejects.toMatchObject({
      code: "IDENTITY_LOCKED",
      final: true,
      details: { file: identity },
    });
  });

  test("an identity file that is missing, or no key", async () => {
    await using rig = await sshTestRig();
    const garbage = join(rig.home, "garbage");
    await writeFile(garbage, "no key\n", { mode: 0o600 });
    for (const identity of [join(rig.home, "missing"), garbage]) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(
        openTo(rig, { ...changed(rig, { identityFiles: [identity] }), engine: { identity } }),
      ).rejects.toMatchObject({ code: "IDENTITY_UNREADABLE", details: { file: identity } });
    }
  });

  test("a key of the agent, which is locked and unlocked", async () => {
    await using rig = await sshTestRig();
    await using agent = await startSshAgent();
    await agent.add(rig.identity);
    const env = { ...rig.env, SSH_AUTH_SOCK: agent.socketPath };
    const settings = { identityFiles: [], identityAgent: agent.socketPath, hasOwnIdentity: false };
    const open: OpenOptions = {
      ...changed(rig, settings),
      engine: { env, identity: undefined, sshConfig: await noIdentity(rig) },
    };
    await agent.lock("1234");
    await expect(openTo(rig, open)).rejects.toMatchObject({ code: "AGENT_LOCKED", final: false });
    await agent.unlock("1234");
    await using connection = await openTo(rig, open);
    expect(connection.info.name).toBe("system");
  });

  test("an agent that does not answer", async () => {
    await using rig = await sshTestRig();
    await using agent = await startSshAgent();
    agent.freeze();
    const env = { ...rig.env, SSH_AUTH_SOCK: agent.socketPath };
    const { options } = changed(rig, { identityFiles: [], identityAgent: agent.socketPath });
    await expect(
      openTo(rig, {
        options: { ...options, connectTimeoutMs: 5_000 },
        engine: { env, identity: undefined, sshConfig: await noIdentity(rig) },
      }),
    ).rejects.toMatchObject({ code: "AGENT_LOCKED" });
  });

  test("too many wrong keys of the agent", async () => {
    await using rig = await sshTestRig({ server: { config: ["MaxAuthTries 2"] } });
    await using agent = await startSshAgent();
    await agent.add(await keyFile(rig));
    await agent.add(await keyFile(rig));
    await agent.add(rig.identity);
    const env = { ...rig.env, SSH_AUTH_SOCK: agent.socketPath };
    await expect(
      openTo(rig, {
        ...changed(rig, { identityFiles: [], identityAgent: agent.socketPath }),
        engine: { env, identity: undefined, sshConfig: await noIdentity(rig) },
      }),
    ).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      hint: expect.stringContaining("IdentitiesOnly"),
    });
  });

  /** A config under which ssh has the keys of the agent and no others. */
  async function noIdentity(rig: SshTestRig): Promise<string> {
    const sshConfig = join(rig.home, "config");
    await writeFile(sshConfig, "IdentityFile none\n", { mode: 0o600 });
    return sshConfig;
  }
});
