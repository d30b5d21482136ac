import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import {
  generateSshKey,
  hasDropbear,
  hasSshd,
  type SshKeyType,
  startDropbearServer,
  startOpenSshServer,
  startProcess,
  temporaryDirectory,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { keyringOf } from "../../src/engines/ssh2/authentication/keyring.ts";
import { authenticate, recordingLogger } from "./authentication-rig.ts";

const types: readonly SshKeyType[] = ["ed25519", "rsa", "ecdsa"];
const PASSPHRASE = "correct horse";

describe.skipIf(!hasSshd)("an identity file", () => {
  test.for(types)("of the type %s signs at once, without a query", async (type) => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ type, directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });

    const { error, tried } = await authenticate(server, {
      settings: { identityFiles: [key.privateKeyPath] },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([`key ${key.privateKeyPath}`]);
    await vi.waitFor(() => expect(server.log.join("\n")).toContain(key.fingerprint));
    expect(server.log.join("\n")).not.toContain("Postponed publickey");
  });

  test.for(["rsa-sha2-256", "rsa-sha2-512"])(
    "of RSA signs with %s where the server wants just that",
    async (algorithm) => {
      await using directory = await temporaryDirectory();
      const key = await generateSshKey({ type: "rsa", directory: directory.path });
      await using server = await startOpenSshServer({
        authorizedKeys: [key.publicKey],
        config: [`PubkeyAcceptedAlgorithms ${algorithm}`],
      });

      const { error } = await authenticate(server, {
        settings: { identityFiles: [key.privateKeyPath] },
      });

      expect(error).toBeUndefined();
    },
  );

  test("of RSA never signs with SHA-1, unless the user allows it", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ type: "rsa", directory: directory.path });
    await using server = await startOpenSshServer({
      authorizedKeys: [key.publicKey],
      config: ["PubkeyAcceptedAlgorithms ssh-rsa"],
    });
    const identityFiles = [key.privateKeyPath];

    const refused = await authenticate(server, { settings: { identityFiles } });
    const allowed = await authenticate(server, {
      settings: { identityFiles, algorithms: { pubkeyAcceptedAlgorithms: ["ssh-rsa"] } },
    });

    expect(refused.error).toMatchObject({ code: "AUTHENTICATION_REFUSED", final: true });
    expect(allowed.error).toBeUndefined();
  });

  test("is not offered where PubkeyAcceptedAlgorithms leaves its type out", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });

    const { error, tried } = await authenticate(server, {
      settings: {
        identityFiles: [key.privateKeyPath],
        algorithms: { pubkeyAcceptedAlgorithms: ["rsa-sha2-512"] },
      },
    });

    expect(tried).toEqual([]);
    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(error?.message).toContain(`could not offer key ${key.privateKeyPath}`);
  });

  test.for(["PEM", "PKCS8"] as const)("in the format %s works", async (format) => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ type: "ecdsa", directory: directory.path });
    await convert(key.privateKeyPath, format, "");
    await rm(key.publicKeyPath);
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });

    const { error } = await authenticate(server, {
      settings: { identityFiles: [key.privateKeyPath] },
    });

    expect(error).toBeUndefined();
  });

  test("comes in its turn among several", async () => {
    await using directory = await temporaryDirectory();
    const [first, second, third] = await Promise.all(
      types.map((type) => generateSshKey({ type, directory: directory.path })),
    );
    await using server = await startOpenSshServer({
      authorizedKeys: [second?.publicKey ?? "", third?.publicKey ?? ""],
    });

    const { error, tried } = await authenticate(server, {
      settings: {
        identityFiles: [first, second, third].map((key) => key?.privateKeyPath ?? ""),
      },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([`key ${first?.privateKeyPath}`, `key ${second?.privateKeyPath}`]);
  });

  test("that the server does not know is refused, with what was tried and offered", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    await using server = await startOpenSshServer();

    const { error } = await authenticate(server, {
      settings: { identityFiles: [key.privateKeyPath] },
    });

    expect(error).toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      final: true,
      details: { tried: [`key ${key.privateKeyPath}`], offered: ["publickey"] },
    });
  });

  test.skipIf(!hasDropbear)("works at Dropbear, which takes RSA with SHA-256 only", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ type: "rsa", directory: directory.path });
    await using server = await startDropbearServer({ authorizedKeys: [key.publicKey] });

    const { error } = await authenticate(server, {
      settings: { identityFiles: [key.privateKeyPath] },
    });

    expect(error).toBeUndefined();
  });
});

describe.skipIf(!hasSshd)("an encrypted identity", () => {
  test("is opened by the passphrase callback, once the server has accepted the key", async () => {
    await using directory = await temporaryDirectory();
    const stranger = await generateSshKey({ passphrase: PASSPHRASE, directory: directory.path });
    const key = await generateSshKey({ passphrase: PASSPHRASE, directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    const passphrase = vi.fn(async () => PASSPHRASE);

    const { error, waits } = await authenticate(server, {
      settings: { identityFiles: [stranger.privateKeyPath, key.privateKeyPath] },
      callbacks: { passphrase },
    });

    expect(error).toBeUndefined();
    expect(passphrase.mock.calls).toEqual([[key.privateKeyPath, 1]]);
    expect(waits).toEqual([true, false]);
  });

  test.for(["PEM", "PKCS8"] as const)(
    "in the format %s is opened before it is offered, since only then its key is known",
    async (format) => {
      await using directory = await temporaryDirectory();
      const key = await generateSshKey({ type: "rsa", directory: directory.path });
      await convert(key.privateKeyPath, format, PASSPHRASE);
      await rm(key.publicKeyPath);
      await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
      const settings = { identityFiles: [key.privateKeyPath] };
      const passphrase = vi.fn(async () => PASSPHRASE);

      const opened = await authenticate(server, { settings, callbacks: { passphrase } });
      const closed = await authenticate(server, { settings });

      expect(opened.error).toBeUndefined();
      expect(passphrase).toHaveBeenCalledTimes(1);
      expect(closed.error).toMatchObject({ code: "IDENTITY_LOCKED" });
      expect(closed.tried).toEqual([]);
    },
  );

  test("is asked for three times at most", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ passphrase: PASSPHRASE, directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    const passphrase = vi.fn(async (_file: string, _attempt: number) => "wrong");

    const { error } = await authenticate(server, {
      settings: { identityFiles: [key.privateKeyPath] },
      callbacks: { passphrase },
    });

    expect(error).toMatchObject({
      code: "IDENTITY_LOCKED",
      final: true,
      details: { file: key.privateKeyPath, tried: [`key ${key.privateKeyPath}`] },
    });
    expect(passphrase.mock.calls.map(([, attempt]) => attempt)).toEqual([1, 2, 3]);
  });

  test("is given up when the callback knows no passphrase, or fails", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ passphrase: PASSPHRASE, directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    const settings = { identityFiles: [key.privateKeyPath] };
    const logger = recordingLogger("warn");
    const unknown = vi.fn(async () => undefined);
    const failing = vi.fn(async () => {
      throw new Error(PASSPHRASE);
    });

    const first = await authenticate(server, { settings, callbacks: { passphrase: unknown } });
    const second = await authenticate(server, {
      settings,
      callbacks: { passphrase: failing },
      logger,
    });

    expect(first.error).toMatchObject({ code: "IDENTITY_LOCKED" });
    expect(second.error).toMatchObject({ code: "IDENTITY_LOCKED" });
    expect(unknown).toHaveBeenCalledTimes(1);
    expect(failing).toHaveBeenCalledTimes(1);
    expect(logger.records).toEqual(["an authentication callback failed"]);
    expect(JSON.stringify([logger.fields, second.error?.message])).not.toContain(PASSPHRASE);
  });

  test("without a callback is IDENTITY_LOCKED where the server would take it", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ passphrase: PASSPHRASE, directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    await using stranger = await startOpenSshServer();
    const settings = { identityFiles: [key.privateKeyPath] };

    const { error } = await authenticate(server, { settings });
    const elsewhere = await authenticate(stranger, { settings });

    expect(error).toMatchObject({
      code: "IDENTITY_LOCKED",
      hint: `Add it to the agent once: ssh-add ${key.privateKeyPath}`,
    });
    expect(elsewhere.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
  });

  test("stays open for whoever answers the same callbacks", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ passphrase: PASSPHRASE, directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    const passphrase = vi.fn(async () => PASSPHRASE);
    const callbacks = { passphrase };
    const settings = { identityFiles: [key.privateKeyPath] };

    const first = await authenticate(server, {
      settings,
      callbacks,
      keyring: keyringOf(callbacks),
    });
    const again = await authenticate(server, {
      settings,
      callbacks,
      keyring: keyringOf(callbacks),
    });

    expect([first.error, again.error]).toEqual([undefined, undefined]);
    expect(passphrase).toHaveBeenCalledTimes(1);
  });
});

describe.skipIf(!hasSshd)("an identity file that cannot be used", () => {
  test("because others may read it is refused, as ssh does", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
    const settings = { identityFiles: [key.privateKeyPath] };

    await chmod(key.privateKeyPath, 0o640);
    const open = await authenticate(server, { settings });
    await chmod(key.privateKeyPath, 0o400);
    const closed = await authenticate(server, { settings });

    expect(open.error).toMatchObject({
      code: "IDENTITY_UNREADABLE",
      final: true,
      hint: `Run: chmod 600 ${key.privateKeyPath}`,
      details: { file: key.privateKeyPath },
    });
    expect(open.error?.message).toContain("is open to other users (mode 0640)");
    expect(open.tried).toEqual([]);
    expect(closed.error).toBeUndefined();
  });

  test("because it is missing is named, if the user has named it", async () => {
    await using directory = await temporaryDirectory();
    await using server = await startOpenSshServer();
    const missing = directory.file("id_missing");

    const named = await authenticate(server, { settings: { identityFiles: [missing] } });
    const byDefault = await authenticate(server, {
      settings: { identityFiles: [missing], hasOwnIdentity: false },
    });

    expect(named.error).toMatchObject({
      code: "IDENTITY_UNREADABLE",
      details: { file: missing },
    });
    expect(named.error?.message).toContain("does not exist");
    expect(byDefault.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(byDefault.error?.message).toContain("there is nothing to authenticate");
  });

  test.for([
    ["a text", "hello\n", "holds no key"],
    ["a damaged key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged"],
    ["a key of PuTTY", "PuTTY-User-Key-File-3: ssh-ed25519\n", "PuTTY's format"],
    [
      "a DSA key",
      "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n",
      "a DSA key",
    ],
  ] as const)("because it is %s is named with the reason", async ([, text, reason]) => {
    await using directory = await temporaryDirectory();
    await using server = await startOpenSshServer();
    const path = directory.file("id");
    await writeFile(path, text, { mode: 0o600 });

    const { error } = await authenticate(server, { settings: { identityFiles: [path] } });

    expect(error).toMatchObject({ code: "IDENTITY_UNREADABLE", details: { file: path } });
    expect(error?.message).toContain(reason);
  });

  test("does not keep the others from being tried", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    await mkdir(directory.file("folder"));
    await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });

    const { error } = await authenticate(server, {
      settings: {
        identityFiles: [directory.file("missing"), directory.file("folder"), key.privateKeyPath],
      },
    });

    expect(error).toBeUndefined();
  });

  test("because it refers to a hardware token asks for the system's ssh", async () => {
    await using directory = await temporaryDirectory();
    const path = directory.file("id_ed25519_sk");
    await writeFile(path, securityKeyReference(), { mode: 0o600 });
    await using server = await startOpenSshServer();

    const { error, needsSystemSsh } = await authenticate(server, {
      settings: { identityFiles: [path] },
    });

    expect(needsSystemSsh).toContain(`${path} is a security key`);
    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(error?.hint).toContain('engine "system"');
  });
});

/** Rewrites a private key in place. */
async function convert(path: string, format: "PEM" | "PKCS8", passphrase: string): Promise<void> {
  const args = ["-q", "-p", "-m", format, "-P", "", "-N", passphrase, "-f", path];
  await using keygen = startProcess("ssh-keygen", args);
  expect(await keygen.exited).toEqual({ code: 0, signal: null });
}

/** What `ssh-keygen -t ed25519-sk` leaves on the disk, as far as it is in clear. */
function securityKeyReference(): string {
  const wire = (value: string | Buffer): Buffer => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const publicKey = Buffer.concat(
    ["sk-ssh-ed25519@openssh.com", Buffer.alloc(32, 7), "ssh:"].map(wire),
  );
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...["none", "none", ""].map(wire),
    Buffer.of(0, 0, 0, 1),
    wire(publicKey),
    wire(Buffer.alloc(64)),
  ]);
  const base64 = body.toString("base64").replace(/(.{70})/gu, "$1\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
