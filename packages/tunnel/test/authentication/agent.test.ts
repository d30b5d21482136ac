import { rm } from "node:fs/promises";
import {
  generateSshKey,
  hasDropbear,
  hasSshd,
  type SshAgent,
  type SshKey,
  type SshKeyType,
  startDropbearServer,
  startOpenSshServer,
  startSshAgent,
  temporaryDirectory,
} from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { startSecurityKeyAgent } from "./security-key-agent.ts";
import { addLimitedTo, relayAgent } from "./agent-relay.ts";
import { agentLabel, authenticate, recordingLogger } from "./authentication-rig.ts";

const types: readonly SshKeyType[] = ["ed25519", "rsa", "ecdsa"];
const QUICK = { listTimeoutMs: 300, signTimeoutMs: 300 };

async function keysIn(agent: SshAgent, directory: string, count: number): Promise<SshKey[]> {
  const keys: SshKey[] = [];
  for (let index = 0; index < count; index += 1) {
    const key = await generateSshKey({ directory });
    await agent.add(key.privateKeyPath);
    keys.push(key);
  }
  return keys;
}

describe.skipIf(!hasSshd)("an agent", () => {
  test.for(types)("signs with an %s key that only it has", async (type) => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const key = await generateSshKey({ type, directory: directory.path });
    await agent.add(key.privateKeyPath);
    await rm(key.privateKeyPath);
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });

    const { error, tried } = await authenticate(server, {
      settings: { identityAgent: agent.socketPath },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([agentLabel(key)]);
  });

  test("with many keys offers the one of the identity file first", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const keys = await keysIn(agent, directory.path, 8);
    const last = keys.at(-1);
    if (!last) throw new Error("there are eight");
    // Nothing but the agent can sign, and the server hangs up after six.
    await rm(last.privateKeyPath);
    await using server = await startOpenSshServer({
      authorizedKeys: [last.publicKey],
      config: ["MaxAuthTries 6"],
    });
    const settings = { identityAgent: agent.socketPath };

    const named = await authenticate(server, {
      settings: { ...settings, identityFiles: [last.privateKeyPath] },
    });
    const publicHalf = await authenticate(server, {
      settings: { ...settings, identityFiles: [last.publicKeyPath], identitiesOnly: true },
    });
    const unnamed = await authenticate(server, { settings });

    expect(named.error).toBeUndefined();
    expect(named.tried).toEqual([agentLabel(last)]);
    expect(publicHalf.error).toBeUndefined();
    expect(unnamed.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(unnamed.error?.hint).toContain("IdentitiesOnly");
    expect(unnamed.tried).toHaveLength(6);
  });

  test.skipIf(!hasDropbear)("whose many keys make Dropbear hang up is refused", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    await keysIn(agent, directory.path, 12);
    await using server = await startDropbearServer();

    const { error } = await authenticate(server, {
      settings: { identityAgent: agent.socketPath },
    });

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED", final: true });
  });

  test("offers nothing but the identities after IdentitiesOnly", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const [first] = await keysIn(agent, directory.path, 2);
    const own = await generateSshKey({ directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [first?.publicKey ?? ""] });

    const { error, tried } = await authenticate(server, {
      settings: {
        identityAgent: agent.socketPath,
        identityFiles: [own.privateKeyPath],
        identitiesOnly: true,
      },
    });

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(tried).toEqual([`key ${own.privateKeyPath}`]);
  });

  test("comes before the keys that only a file has", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const [held] = await keysIn(agent, directory.path, 1);
    const own = await generateSshKey({ directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [own.publicKey] });

    const { error, tried } = await authenticate(server, {
      settings: { identityAgent: agent.socketPath, identityFiles: [own.privateKeyPath] },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([held && agentLabel(held), `key ${own.privateKeyPath}`]);
  });

  test("opens an identity that is encrypted, without asking anybody", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const key = await generateSshKey({ passphrase: "secret", directory: directory.path });
    await agent.add(key.privateKeyPath, { passphrase: "secret" });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });

    const { error, tried } = await authenticate(server, {
      settings: { identityAgent: agent.socketPath, identityFiles: [key.privateKeyPath] },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([agentLabel(key)]);
  });

  test("has a security key touched, once the server has accepted it", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSecurityKeyAgent(directory.file("agent.sock"));
    await using server = await startOpenSshServer({ authorizedKeys: [agent.publicKey] });
    await using stranger = await startOpenSshServer();
    const settings = { identityAgent: agent.socketPath };
    const logger = recordingLogger("info");

    const refused = await authenticate(stranger, { settings, logger });
    const touchesBefore = agent.touches;
    const { error, tried, waits, needsSystemSsh } = await authenticate(server, {
      settings,
      logger,
    });

    expect(refused.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(touchesBefore).toBe(0);
    expect(error).toBeUndefined();
    expect(tried).toEqual([expect.stringMatching(/^agent ED25519-SK SHA256:/u)]);
    expect(waits).toEqual([true, false]);
    expect(needsSystemSsh).toBeUndefined();
    expect(agent.touches).toBe(1);
    expect(logger.records).toEqual(["waiting for the agent to sign"]);
  });

  test("that nobody listens for does not matter", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    const identityAgent = directory.file("left-over.sock");

    const { error } = await authenticate(server, {
      settings: { identityAgent, identityFiles: [key.privateKeyPath] },
    });
    const alone = await authenticate(server, { settings: { identityAgent } });

    expect(error).toBeUndefined();
    expect(alone.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
  });

  test("uses a key that is limited to this host", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const key = await generateSshKey({ directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    await using other = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    const [hostKey] = server.hostKeys;
    if (!hostKey) throw new Error("a server has a key");
    await addLimitedTo(hostKey, { agent, key, knownHosts: directory.file("known_hosts") });
    const settings = { identityAgent: agent.socketPath };

    const here = await authenticate(server, { settings });
    const elsewhere = await authenticate(other, { settings });

    expect(here.error).toBeUndefined();
    expect(elsewhere.error).toMatchObject({ code: "AGENT_LOCKED" });
  });
});

describe.skipIf(!hasSshd)("an agent in trouble", () => {
  test("is AGENT_LOCKED when it is locked, and lets in when it is not any more", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const [key] = await keysIn(agent, directory.path, 1);
    await rm(key?.privateKeyPath ?? "");
    await using server = await startOpenSshServer({ authorizedKeys: [key?.publicKey ?? ""] });
    const settings = { identityAgent: agent.socketPath };

    await agent.lock("secret");
    const locked = await authenticate(server, { settings });
    const named = await authenticate(server, {
      settings: { ...settings, identityFiles: [key?.publicKeyPath ?? ""] },
    });
    await agent.unlock("secret");
    const unlocked = await authenticate(server, { settings });

    expect(locked.error).toMatchObject({ code: "AGENT_LOCKED", final: false });
    expect(locked.error?.message).toContain("locked or empty");
    expect(named.error).toMatchObject({ code: "AGENT_LOCKED" });
    expect(unlocked.error).toBeUndefined();
  });

  test("is not taken for a locked one when it is open and empty", async () => {
    await using agent = await startSshAgent();
    await using server = await startOpenSshServer();

    const { error } = await authenticate(server, {
      settings: { identityAgent: agent.socketPath },
    });

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED", final: true });
  });

  test("locked, leaves an encrypted identity for later", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const key = await generateSshKey({ passphrase: "secret", directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    const settings = { identityAgent: agent.socketPath, identityFiles: [key.privateKeyPath] };

    const empty = await authenticate(server, { settings });
    await agent.lock("secret");
    const locked = await authenticate(server, { settings });

    expect(empty.error).toMatchObject({ code: "IDENTITY_LOCKED", final: true });
    expect(locked.error).toMatchObject({ code: "AGENT_LOCKED", final: false });
  });

  test("frozen, is waited for no longer than allowed, and the identity files count", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const [key] = await keysIn(agent, directory.path, 1);
    await using server = await startOpenSshServer({ authorizedKeys: [key?.publicKey ?? ""] });
    const settings = { identityAgent: agent.socketPath };
    agent.freeze();

    const alone = await authenticate(server, { settings, limits: QUICK });
    const withFile = await authenticate(server, {
      settings: { ...settings, identityFiles: [key?.privateKeyPath ?? ""] },
      limits: QUICK,
    });

    expect(alone.error).toMatchObject({ code: "AGENT_LOCKED", final: false });
    expect(alone.error?.message).toContain("no answer within 300 ms");
    expect(withFile.error).toBeUndefined();
  });

  test("refusing to sign, is AGENT_LOCKED", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const [key] = await keysIn(agent, directory.path, 1);
    await rm(key?.privateKeyPath ?? "");
    await using server = await startOpenSshServer({ authorizedKeys: [key?.publicKey ?? ""] });
    await using relay = await relayAgent(agent, directory.file("relay.sock"), () =>
      agent.lock("secret"),
    );

    const { error, tried } = await authenticate(server, {
      settings: { identityAgent: relay.socketPath },
    });

    expect(error).toMatchObject({ code: "AGENT_LOCKED", final: false });
    expect(error?.message).toContain("refused to sign");
    expect(tried).toEqual([key && agentLabel(key)]);
  });

  test("dying while it signs, leaves the other keys", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const [key] = await keysIn(agent, directory.path, 1);
    const own = await generateSshKey({ directory: directory.path });
    await rm(key?.privateKeyPath ?? "");
    const publicKeys = [key?.publicKey ?? "", own.publicKey];
    await using server = await startOpenSshServer({ authorizedKeys: publicKeys });
    const die = async (): Promise<void> => void (await agent.process.kill());
    await using relay = await relayAgent(agent, directory.file("relay.sock"), die);

    const { error, tried } = await authenticate(server, {
      settings: { identityAgent: relay.socketPath, identityFiles: [own.privateKeyPath] },
    });
    const alone = await authenticate(server, {
      settings: { identityAgent: relay.socketPath },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([key && agentLabel(key), `key ${own.privateKeyPath}`]);
    expect(alone.error).toMatchObject({ code: "AGENT_LOCKED" });
  });

  test("waiting for a touch, says so and stops the clock", async () => {
    await using directory = await temporaryDirectory();
    await using agent = await startSshAgent();
    const [key] = await keysIn(agent, directory.path, 1);
    await using server = await startOpenSshServer({ authorizedKeys: [key?.publicKey ?? ""] });
    const freeze = async (): Promise<void> => agent.freeze();
    await using relay = await relayAgent(agent, directory.file("relay.sock"), freeze);
    const logger = recordingLogger("info");

    const { error, waits } = await authenticate(server, {
      settings: { identityAgent: relay.socketPath },
      logger: {
        ...logger,
        info: (fields, message) => {
          logger.info(fields, message);
          agent.thaw();
        },
      },
    });

    expect(error).toBeUndefined();
    expect(logger.records).toEqual(["waiting for the agent to sign"]);
    expect(waits).toEqual([true, false]);
  });
});
