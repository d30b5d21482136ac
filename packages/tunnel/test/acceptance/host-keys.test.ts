import { readFile, writeFile } from "node:fs/promises";
import {
  generateSshKey,
  hasSshd,
  type SshKey,
  type SshTestRig,
  signSshKey,
  sshTestRig,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { openTunnel } from "../../src/index.ts";
import { engines } from "../servers/tunnel-to.ts";
import { echoThrough, keyedHostLines, withConfig } from "./configured.ts";
import { runProgram } from "./run-program.ts";

/** Type and base64 of a public key. */
function bare({ publicKey }: Pick<SshKey, "publicKey">): string {
  return publicKey.split(" ").slice(0, 2).join(" ");
}

/** A rig whose server shows a certificate of its host key, and known_hosts with the authority alone. */
async function certifiedRig(principals: readonly string[]): Promise<SshTestRig> {
  const rig = await sshTestRig();
  const ca = await generateSshKey({ directory: rig.home });
  const [hostKey] = rig.server.hostKeys;
  if (hostKey === undefined) throw new Error("the server has no key");
  const certificate = await signSshKey({
    caKeyPath: ca.privateKeyPath,
    publicKeyPath: hostKey.publicKeyPath,
    principals,
    host: true,
  });
  await rig.server.restart({ config: [`HostCertificate ${certificate}`] });
  await writeFile(rig.knownHosts, `@cert-authority * ${bare(ca)}\n`);
  return rig;
}

describe.skipIf(!hasSshd).each(engines)("the host key over %s", (engine) => {
  test("is found under a hashed name", async () => {
    await using rig = await sshTestRig();
    await runProgram("ssh-keygen", ["-H", "-f", rig.knownHosts]);
    expect(await readFile(rig.knownHosts, "utf8")).toMatch(/^\|1\|/u);
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });

    await using tunnel = await openTunnel("box", options);

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("is written under a hashed name where HashKnownHosts says so", async () => {
    await using rig = await sshTestRig();
    const knownHosts = `${rig.home}/fresh`;
    const lines = [...keyedHostLines("box", rig), "  HashKnownHosts yes"];
    const options = await withConfig(rig, lines, {
      engine,
      knownHosts,
      hostKeyPolicy: "accept-new",
    });

    await using _first = await openTunnel("box", options);
    await using second = await openTunnel("box", { ...options, hostKeyPolicy: "strict" });

    expect(second.state.kind).toBe("open");
    expect(await readFile(knownHosts, "utf8")).toMatch(/^\|1\|\S+\|\S+ ssh-ed25519 \S+\n$/u);
  });

  test("is looked up under HostKeyAlias, and under nothing else", async () => {
    await using rig = await sshTestRig();
    const [hostKey] = rig.server.hostKeys;
    await writeFile(rig.knownHosts, `the-box ${bare(hostKey as SshKey)}\n`);
    const lines = [
      ...keyedHostLines("aliased", rig),
      "  HostKeyAlias the-box",
      ...keyedHostLines("plain", rig),
    ];
    const options = await withConfig(rig, lines, { engine });

    await using tunnel = await openTunnel("aliased", options);

    expect(tunnel.state).toMatchObject({ engine: { hostKey: { name: "the-box" } } });
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    await expect(openTunnel("plain", options)).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
    });
  });

  test.each(["ed25519", "ecdsa", "rsa"] as const)(
    "of a host with three is the one that is known: %s",
    async (type) => {
      await using rig = await sshTestRig({
        server: { hostKeyTypes: ["ed25519", "ecdsa", "rsa"] },
      });
      const known = rig.server.hostKeys.find((key) => key.type === type) as SshKey;
      await writeFile(rig.knownHosts, `[127.0.0.1]:${rig.server.port} ${bare(known)}\n`);
      const options = await withConfig(rig, keyedHostLines("box", rig), { engine });

      await using tunnel = await openTunnel("box", options);

      expect(tunnel.state).toMatchObject({
        engine: { hostKey: { fingerprint: known.fingerprint } },
      });
    },
  );

  test("that is marked @revoked is refused, although it is known", async () => {
    await using rig = await sshTestRig();
    const known = await readFile(rig.knownHosts, "utf8");
    await writeFile(
      rig.knownHosts,
      `${known}@revoked * ${bare(rig.server.hostKeys[0] as SshKey)}\n`,
    );
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine });

    for (const hostKeyPolicy of ["strict", "accept-new", "openssh"] as const) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(openTunnel("box", { ...options, hostKeyPolicy })).rejects.toMatchObject({
        code: "HOST_KEY_REVOKED",
        final: true,
        details: { fingerprint: rig.server.hostKeys[0]?.fingerprint },
      });
    }
  });

  test("that changed is refused with both shown, whatever the ssh config says", async () => {
    await using rig = await sshTestRig();
    const [before] = rig.server.hostKeys;
    const after = await generateSshKey({ directory: rig.home });
    await rig.server.restart({ hostKeys: [after] });
    const lines = [
      ...keyedHostLines("box", rig),
      "  StrictHostKeyChecking no",
      "  NoHostAuthenticationForLocalhost yes",
      "  VerifyHostKeyDNS yes",
    ];
    const options = await withConfig(rig, lines, { engine, hostKeyPolicy: "openssh" });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "HOST_KEY_CHANGED",
      final: true,
      details: { expected: [before?.fingerprint], fingerprint: after.fingerprint },
    });
    expect(await readFile(rig.knownHosts, "utf8")).not.toContain(bare(after));
  });
});

describe.skipIf(!hasSshd)("a host that is known by an authority", () => {
  test("is left to the system's ssh, with that reason shown", async () => {
    await using rig = await certifiedRig(["127.0.0.1"]);
    const options = await withConfig(rig, keyedHostLines("box", rig));

    await using tunnel = await openTunnel("box", options);

    expect(tunnel.state).toMatchObject({
      kind: "open",
      engine: { name: "system", reason: expect.stringContaining("@cert-authority") },
    });
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("is refused where the authority has signed another name", async () => {
    await using rig = await certifiedRig(["elsewhere.example"]);
    const options = await withConfig(rig, keyedHostLines("box", rig));

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      final: true,
    });
  });

  test("is refused by the engine ssh2 when that is forced, which names the reason", async () => {
    await using rig = await certifiedRig(["127.0.0.1"]);
    const options = await withConfig(rig, keyedHostLines("box", rig), { engine: "ssh2" });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "UNSUPPORTED_SETTING",
      final: true,
      details: { settings: [expect.stringContaining("@cert-authority")] },
      hint: expect.stringContaining("system"),
    });
    const hostKeyFingerprint = rig.server.hostKeys[0]?.fingerprint;
    await using pinned = await openTunnel("box", { ...options, hostKeyFingerprint });
    expect(await echoThrough(pinned, rig.echo.port)).toBe("hello");
  });

  test("is refused clearly without an OpenSSH client", async () => {
    await using rig = await certifiedRig(["127.0.0.1"]);
    const options = await withConfig(rig, keyedHostLines("box", rig), { sshProgram: "/bin/true" });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "ENGINE_MISSING",
      final: true,
      hint: expect.stringContaining("OpenSSH"),
    });
  });

  test("stays with the engine in this process where the key itself is known, too", async () => {
    await using rig = await certifiedRig(["127.0.0.1"]);
    const authority = await readFile(rig.knownHosts, "utf8");
    await writeFile(rig.knownHosts, `${authority}${rig.server.knownHostsLine}\n`);
    const options = await withConfig(rig, keyedHostLines("box", rig));

    await using tunnel = await openTunnel("box", options);

    expect(tunnel.state).toMatchObject({ engine: { name: "ssh2", reason: "the default" } });
  });

  test("is told once when it is new and the system's ssh records it", async () => {
    await using rig = await sshTestRig();
    const onNewHostKey = vi.fn(() => {});
    const options = await withConfig(rig, keyedHostLines("box", rig), {
      engine: "system",
      knownHosts: `${rig.home}/fresh`,
      hostKeyPolicy: "accept-new",
      onNewHostKey,
    });

    await using _first = await openTunnel("box", options);
    await using _second = await openTunnel("box", options);

    expect(onNewHostKey).toHaveBeenCalledExactlyOnceWith({
      name: `[127.0.0.1]:${rig.server.port}`,
      keyType: "ssh-ed25519",
      fingerprint: rig.server.hostKeys[0]?.fingerprint,
    });
  });
});
