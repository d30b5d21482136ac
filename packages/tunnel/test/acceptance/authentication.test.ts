import { chmod, copyFile, rm, writeFile } from "node:fs/promises";
import {
  generateSshKey,
  hasSshd,
  type SshTestRig,
  signSshKey,
  sshTestRig,
  startSshAgent,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { openTunnel } from "../../src/index.ts";
import { engines } from "../servers/tunnel-to.ts";
import { echoThrough, hostLines, withConfig } from "./configured.ts";

const PASSPHRASE = "a phrase that nobody writes down";

/** A rig whose server takes one more key, which is encrypted. */
async function rigWithEncryptedKey(): Promise<{ rig: SshTestRig; encrypted: string }> {
  const rig = await sshTestRig();
  const key = await generateSshKey({ directory: `${rig.home}/.ssh`, passphrase: PASSPHRASE });
  await rig.server.authorize(key.publicKey);
  return { rig, encrypted: key.privateKeyPath };
}

describe.skipIf(!hasSshd).each(engines)("logging in over %s", (engine) => {
  test("with a key of the agent, which no file has", async () => {
    await using rig = await sshTestRig();
    await using agent = await startSshAgent();
    await agent.add(rig.identity);
    await rm(rig.identity);
    await rm(`${rig.identity}.pub`);
    const options = await withConfig(rig, [
      ...hostLines("box", rig),
      `  IdentityAgent ${agent.socketPath}`,
    ]);

    await using tunnel = await openTunnel("box", { ...options, engine });

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    await agent.removeAll();
    expect(await echoThrough(tunnel, rig.echo.port, "still")).toBe("still");
  });

  test("with the agent of SSH_AUTH_SOCK", async () => {
    await using rig = await sshTestRig();
    await using agent = await startSshAgent();
    await agent.add(rig.identity);
    const publicHalf = `${rig.home}/.ssh/only.pub`;
    await writeFile(publicHalf, rig.publicKey);
    const lines = [
      ...hostLines("box", rig),
      "  IdentityAgent SSH_AUTH_SOCK",
      `  IdentityFile ${rig.home}/.ssh/only`,
      "  IdentitiesOnly yes",
    ];
    const options = await withConfig(rig, lines, {
      env: { ...rig.env, SSH_AUTH_SOCK: agent.socketPath },
    });

    await using tunnel = await openTunnel("box", { ...options, engine });

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("with the right key first, where the agent has eight and the server hears six", async () => {
    await using rig = await sshTestRig({ server: { config: ["MaxAuthTries 6"] } });
    await using agent = await startSshAgent();
    for (let index = 0; index < 7; index += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const other = await generateSshKey({ directory: rig.home });
      // oxlint-disable-next-line no-await-in-loop
      await agent.add(other.privateKeyPath);
    }
    await agent.add(rig.identity);
    expect(await agent.list()).toHaveLength(8);
    const lines = [
      ...hostLines("named", rig),
      `  IdentityAgent ${agent.socketPath}`,
      `  IdentityFile ${rig.identity}`,
      ...hostLines("unnamed", rig),
      `  IdentityAgent ${agent.socketPath}`,
    ];
    const options = await withConfig(rig, lines, { engine });

    await using tunnel = await openTunnel("named", options);

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    expect(rig.server.log.filter((line) => line.startsWith("Failed publickey"))).toEqual([]);
    await expect(openTunnel("unnamed", options)).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      final: true,
      hint: expect.stringMatching(/Name the right key/u),
    });
  });

  test("with an encrypted key and the right passphrase, after one question", async () => {
    const { rig, encrypted } = await rigWithEncryptedKey();
    await using _ = rig;
    const lines = [...hostLines("box", rig), `  IdentityFile ${encrypted}`, "  IdentitiesOnly yes"];
    const passphrase = vi.fn(async (_file: string, _attempt: number) => PASSPHRASE);
    const options = await withConfig(rig, lines, { engine, authentication: { passphrase } });

    await using tunnel = await openTunnel("box", options);

    expect(passphrase).toHaveBeenCalledExactlyOnceWith(encrypted, 1);
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("with an encrypted key asks for its passphrase once, however often it comes back", async () => {
    const { rig, encrypted } = await rigWithEncryptedKey();
    await using _ = rig;
    const lines = [...hostLines("box", rig), `  IdentityFile ${encrypted}`, "  IdentitiesOnly yes"];
    const passphrase = vi.fn(async (_file: string, _attempt: number) => PASSPHRASE);
    const options = await withConfig(rig, lines, { engine, authentication: { passphrase } });

    await using tunnel = await openTunnel("box", options);

    for (let generation = 2; generation <= 4; generation += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await rig.server.killConnections();
      // oxlint-disable-next-line no-await-in-loop
      await vi.waitFor(() => expect(tunnel.state).toMatchObject({ kind: "open", generation }));
      // oxlint-disable-next-line no-await-in-loop
      expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    }
    expect(passphrase).toHaveBeenCalledTimes(1);
  });

  test("with an encrypted key fails as IDENTITY_LOCKED after three wrong passphrases", async () => {
    const { rig, encrypted } = await rigWithEncryptedKey();
    await using _ = rig;
    const lines = [...hostLines("box", rig), `  IdentityFile ${encrypted}`, "  IdentitiesOnly yes"];
    const passphrase = vi.fn(async (_file: string, attempt: number) => `wrong ${attempt}`);
    const options = await withConfig(rig, lines, { engine, authentication: { passphrase } });

    const failure = await openTunnel("box", options).catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: "IDENTITY_LOCKED",
      final: true,
      details: { file: encrypted },
    });
    expect(passphrase.mock.calls).toEqual([
      [encrypted, 1],
      [encrypted, 2],
      [encrypted, 3],
    ]);
    expect(JSON.stringify(failure) + String(failure)).not.toContain("wrong ");
  });

  test("with an encrypted key and nobody to ask fails as IDENTITY_LOCKED, without a prompt", async () => {
    const { rig, encrypted } = await rigWithEncryptedKey();
    await using _ = rig;
    const lines = [...hostLines("box", rig), `  IdentityFile ${encrypted}`, "  IdentitiesOnly yes"];
    const asked = `${rig.home}/asked`;
    const askpass = `${rig.home}/askpass`;
    await writeFile(askpass, `#!/bin/sh\necho "$1" >> '${asked}'\necho ${PASSPHRASE}\n`, {
      mode: 0o700,
    });
    const options = await withConfig(rig, lines, {
      engine,
      env: { ...rig.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0" },
    });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "IDENTITY_LOCKED",
      final: true,
      hint: expect.stringContaining("ssh-add"),
    });
    await expect(rm(asked)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("with a certificate that CertificateFile names, and with one beside its key", async () => {
    await using rig = await sshTestRig();
    const ca = await generateSshKey({ directory: rig.home });
    const caFile = `${rig.home}/ca.pub`;
    await writeFile(caFile, ca.publicKey);
    const key = await generateSshKey({ directory: rig.home });
    const certificate = await signSshKey({
      caKeyPath: ca.privateKeyPath,
      publicKeyPath: key.publicKeyPath,
      principals: [rig.server.user],
    });
    const elsewhere = `${rig.home}/elsewhere-cert.pub`;
    await copyFile(certificate, elsewhere);
    // Only the authority's word counts: the key itself is nowhere among the authorized ones.
    await rig.server.restart({ config: [`TrustedUserCAKeys ${caFile}`] });
    const bare = `${rig.home}/bare`;
    await copyFile(key.privateKeyPath, bare);
    const only = "  IdentitiesOnly yes";
    const options = await withConfig(
      rig,
      [
        ...[...hostLines("beside", rig), `  IdentityFile ${key.privateKeyPath}`, only],
        ...[...hostLines("named", rig), `  IdentityFile ${bare}`, only],
        `  CertificateFile ${elsewhere}`,
        ...[...hostLines("without", rig), `  IdentityFile ${bare}`, only],
      ],
      { engine },
    );

    for (const alias of ["beside", "named"]) {
      // oxlint-disable-next-line no-await-in-loop
      await using tunnel = await openTunnel(alias, options);
      // oxlint-disable-next-line no-await-in-loop
      expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    }
    await expect(openTunnel("without", options)).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
    });
  });

  test("as somebody the server does not know is refused, for good", async () => {
    await using rig = await sshTestRig();
    const lines = [...hostLines("box", rig), `  IdentityFile ${rig.identity}`];
    const options = await withConfig(rig, lines, { engine });

    await expect(openTunnel("nobody-of-that-name@box", options)).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      final: true,
      message: expect.stringContaining("nobody-of-that-name"),
    });
  });

  test("with a locked agent is tried again, and succeeds once it is unlocked", async () => {
    await using rig = await sshTestRig();
    await using agent = await startSshAgent();
    await agent.add(rig.identity);
    await rm(rig.identity);
    await agent.lock("secret");
    const lines = [
      ...hostLines("box", rig),
      `  IdentityFile ${rig.identity}`,
      `  IdentityAgent ${agent.socketPath}`,
      "  IdentitiesOnly yes",
    ];
    const options = await withConfig(rig, lines, { engine });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "AGENT_LOCKED",
      final: false,
    });
    await agent.unlock("secret");
    await using tunnel = await openTunnel("box", options);
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("with an agent that has died falls back on the key files", async () => {
    await using rig = await sshTestRig();
    await using agent = await startSshAgent();
    const lines = [
      ...hostLines("box", rig),
      `  IdentityFile ${rig.identity}`,
      `  IdentityAgent ${agent.socketPath}`,
    ];
    const options = await withConfig(rig, lines, { engine });
    await agent.process.kill();

    await using tunnel = await openTunnel("box", options);

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("with an agent that dies under an open tunnel leaves the tunnel alone until it has to log in", async () => {
    await using rig = await sshTestRig();
    await using agent = await startSshAgent();
    await agent.add(rig.identity);
    await rm(rig.identity);
    const lines = [
      ...hostLines("box", rig),
      `  IdentityFile ${rig.identity}`,
      `  IdentityAgent ${agent.socketPath}`,
      "  IdentitiesOnly yes",
    ];
    const options = await withConfig(rig, lines, { engine });
    await using tunnel = await openTunnel("box", options);

    await agent.process.kill();
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    await rig.server.killConnections();

    const cause = await tunnel.closed;
    expect(cause?.code).toMatch(/^(?:AUTHENTICATION_REFUSED|IDENTITY_UNREADABLE)$/u);
  });

  test("with a key file that ssh_config names and that is missing says so", async () => {
    await using rig = await sshTestRig();
    const missing = `${rig.home}/.ssh/missing`;
    const lines = [...hostLines("box", rig), `  IdentityFile ${missing}`, "  IdentitiesOnly yes"];
    const options = await withConfig(rig, lines, { engine });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "IDENTITY_UNREADABLE",
      final: true,
      details: { file: missing },
    });
  });

  test("with a key file that the caller names and that is missing says so", async () => {
    await using rig = await sshTestRig();
    const identity = `${rig.home}/.ssh/missing`;
    const options = await withConfig(rig, hostLines("box", rig), { engine, identity });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "IDENTITY_UNREADABLE",
      final: true,
      details: { file: identity },
    });
  });

  test("with a key file that others may read refuses it and says how to cure that", async () => {
    await using rig = await sshTestRig();
    await chmod(rig.identity, 0o644);
    const lines = [...hostLines("box", rig), `  IdentityFile ${rig.identity}`];
    const options = await withConfig(rig, lines, { engine });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "IDENTITY_UNREADABLE",
      details: { file: rig.identity },
      hint: expect.stringMatching(/600/u),
    });
  });
});
