import { copyFile, rename, rm, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import {
  generateSshKey,
  hasSshd,
  signSshKey,
  type SshKey,
  type SshKeyOptions,
  type SshKeyType,
  type SshServer,
  startOpenSshServer,
  startSshAgent,
  temporaryDirectory,
  type TemporaryDirectory,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { authenticate } from "./authentication-rig.ts";

const types: readonly SshKeyType[] = ["ed25519", "rsa", "ecdsa"];
const PASSPHRASE = "correct horse";
const { username } = userInfo();

/** A key with a certificate beside it, and a server that trusts nothing but its authority. */
interface Certified extends AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly server: SshServer;
  readonly key: SshKey;
  readonly authority: SshKey;
  readonly certificate: string;
}

async function certified(
  options: SshKeyOptions & { validity?: string; host?: boolean; config?: string[] } = {},
): Promise<Certified> {
  const { validity, host, config = [], ...keyOptions } = options;
  const directory = await temporaryDirectory();
  const authority = await generateSshKey({ directory: directory.path });
  const key = await generateSshKey({ ...keyOptions, directory: directory.path });
  const certificate = await signSshKey({
    caKeyPath: authority.privateKeyPath,
    publicKeyPath: key.publicKeyPath,
    principals: [username],
    ...(validity === undefined ? {} : { validity }),
    ...(host === undefined ? {} : { host }),
  });
  const server = await startOpenSshServer({
    config: [`TrustedUserCAKeys ${authority.publicKeyPath}`, ...config],
  });
  return {
    directory,
    server,
    key,
    authority,
    certificate,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!hasSshd)("a user certificate", () => {
  test.for(types)("of an %s key lets in, found beside the key", async (type) => {
    await using rig = await certified({ type });

    const { error, tried } = await authenticate(rig.server, {
      settings: { identityFiles: [rig.key.privateKeyPath] },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([`certificate ${rig.certificate} (ID "test")`]);
    const accepted = `-CERT ${rig.key.fingerprint} ID test`;
    await vi.waitFor(() => expect(rig.server.log.join("\n")).toContain(accepted));
    expect(rig.server.log.join("\n")).not.toContain("Postponed publickey");
  });

  test("named by CertificateFile finds its key among the identities", async () => {
    await using rig = await certified();
    const elsewhere = rig.directory.file("work.pub");
    await rename(rig.certificate, elsewhere);
    const other = await generateSshKey({ directory: rig.directory.path });

    const { error, tried } = await authenticate(rig.server, {
      settings: {
        certificateFiles: [elsewhere],
        identityFiles: [other.privateKeyPath, rig.key.privateKeyPath],
      },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([`certificate ${elsewhere} (ID "test")`]);
  });

  test.for(["rsa-sha2-256", "rsa-sha2-512"])(
    "of an RSA key signs with %s where the server wants just that",
    async (algorithm) => {
      await using rig = await certified({
        type: "rsa",
        config: [`PubkeyAcceptedAlgorithms ${algorithm}-cert-v01@openssh.com,${algorithm}`],
      });

      const { error } = await authenticate(rig.server, {
        settings: { identityFiles: [rig.key.privateKeyPath] },
      });

      expect(error).toBeUndefined();
    },
  );

  test.for(types)("in the agent lets in, with an %s key", async (type) => {
    await using rig = await certified({ type });
    await using agent = await startSshAgent();
    await agent.add(rig.key.privateKeyPath);
    await rm(rig.key.privateKeyPath);

    const { error, tried } = await authenticate(rig.server, {
      settings: { identityAgent: agent.socketPath },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([`agent ${type.toUpperCase()}-CERT ${rig.key.fingerprint} (ID "test")`]);
  });

  test("in a file is signed for by the agent that has the key", async () => {
    await using rig = await certified({ passphrase: PASSPHRASE });
    await using agent = await startSshAgent();
    const alone = rig.directory.file("alone");
    await copyFile(rig.key.privateKeyPath, alone);
    await agent.add(alone, { passphrase: PASSPHRASE });

    const { error, tried } = await authenticate(rig.server, {
      settings: {
        identityAgent: agent.socketPath,
        identityFiles: [rig.key.privateKeyPath],
        identitiesOnly: true,
      },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([`certificate ${rig.certificate} (ID "test")`]);
  });

  test("of an encrypted key has the passphrase asked for once it is accepted", async () => {
    await using rig = await certified({ passphrase: PASSPHRASE });

    const { error, waits } = await authenticate(rig.server, {
      settings: { identityFiles: [rig.key.privateKeyPath] },
      callbacks: { passphrase: async () => PASSPHRASE },
    });

    expect(error).toBeUndefined();
    expect(waits).toEqual([true, false]);
  });

  test("that has expired is refused, says so, and its key is tried", async () => {
    await using rig = await certified({ validity: "-2h:-1h" });

    const { error, tried } = await authenticate(rig.server, {
      settings: { identityFiles: [rig.key.privateKeyPath] },
    });

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(tried).toEqual([
      expect.stringMatching(/^certificate .*\(ID "test", expired \d{4}-\d\d-\d\d\)$/u),
      `key ${rig.key.privateKeyPath}`,
    ]);
  });

  test("that cannot be used is named with the reason", async () => {
    await using rig = await certified({ host: true });
    await using other = await certified();
    const damaged = rig.directory.file("damaged-cert.pub");
    await writeFile(damaged, "no certificate\n");
    const reasons = new Map([
      [rig.certificate, "certifies a host and no user"],
      [other.certificate, "certifies a key that is not here"],
      [damaged, "holds no certificate"],
      [rig.directory.file("missing"), "does not exist"],
    ]);

    for (const [file, reason] of reasons) {
      const { error } = await authenticate(rig.server, { settings: { certificateFiles: [file] } });

      expect(error).toMatchObject({ code: "IDENTITY_UNREADABLE", details: { file } });
      expect(error?.message).toContain(reason);
    }
  });
});

describe.skipIf(!hasSshd)("a server that wants two keys", () => {
  test("gets the second after it has accepted the first", async () => {
    await using rig = await certified({
      config: ["AuthenticationMethods publickey,publickey"],
    });
    const second = await generateSshKey({ directory: rig.directory.path });
    await rig.server.authorize(second.publicKey);

    const { error, tried } = await authenticate(rig.server, {
      settings: { identityFiles: [rig.key.privateKeyPath, second.privateKeyPath] },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([
      `certificate ${rig.certificate} (ID "test")`,
      `key ${rig.key.privateKeyPath}`,
      `key ${second.privateKeyPath}`,
    ]);
  });
});
