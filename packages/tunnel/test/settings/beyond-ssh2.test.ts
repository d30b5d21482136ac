import { mkdir, writeFile } from "node:fs/promises";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { findSshProgram } from "../../src/settings/find-ssh-program.ts";
import { resolveSshSettings } from "../../src/settings/resolve-settings.ts";
import { isSecurityKey } from "../../src/settings/security-key.ts";
import type { SshSettings } from "../../src/settings/ssh-settings.ts";
import { standIn } from "./ssh-programs.ts";

const ssh = findSshProgram(process.env);
const env = { PATH: process.env["PATH"] };

async function read(
  directory: TemporaryDirectory,
  config: string,
  useProgram: boolean,
): Promise<SshSettings> {
  const sshConfig = directory.file("config");
  await writeFile(sshConfig, config);
  return resolveSshSettings({ host: "box" }, { env, sshConfig, useProgram });
}

describe.each([
  { reader: "with ssh", useProgram: true },
  { reader: "without ssh", useProgram: false },
])("read $reader", ({ useProgram }) => {
  const isPossible = !useProgram || ssh !== undefined;

  test.skipIf(!isPossible).each([
    ["ProxyCommand nc %h %p", "ProxyCommand"],
    ["PKCS11Provider /lib/token.so", "PKCS11Provider"],
    ["SecurityKeyProvider /lib/sk.so", "SecurityKeyProvider"],
    ["KnownHostsCommand /bin/keys %H", "KnownHostsCommand"],
    ["RevokedHostKeys /etc/revoked", "RevokedHostKeys"],
    ["BindInterface eth0", "BindInterface"],
    ["HostbasedAuthentication yes", "HostbasedAuthentication"],
  ])("%s needs the system's ssh, by that name and with a reason", async (line, name) => {
    await using directory = await temporaryDirectory();
    const { needsSystemSsh } = await read(directory, line, useProgram);
    expect(needsSystemSsh).toEqual([expect.stringMatching(new RegExp(`^${name} \\(.+\\)$`, "u"))]);
  });

  test
    .skipIf(!isPossible)
    .each([
      "ProxyCommand none",
      "PKCS11Provider none",
      "SecurityKeyProvider internal",
      "KnownHostsCommand none",
      "HostbasedAuthentication no",
      "ProxyJump hop\nProxyCommand nc %h %p",
    ])("%j does not", async (config) => {
    await using directory = await temporaryDirectory();
    expect((await read(directory, config, useProgram)).needsSystemSsh).toEqual([]);
  });

  test.skipIf(!isPossible).each([
    ["RemoteForward 9000 localhost:9001", "RemoteForward"],
    ["DynamicForward 1080", "DynamicForward"],
    ["ForwardAgent yes", "ForwardAgent"],
    ["ForwardX11 yes", "ForwardX11"],
    ["RemoteCommand tmux", "RemoteCommand"],
    ["ControlMaster auto", "ControlMaster"],
    ["Compression yes", "Compression"],
    ["Tunnel yes", "Tunnel"],
    ["VerifyHostKeyDNS yes", "VerifyHostKeyDNS"],
    ["GatewayPorts yes", "GatewayPorts"],
    ["PermitLocalCommand yes", "PermitLocalCommand"],
    ["SetEnv A=b", "SetEnv"],
    ["SendEnv EDITOR", "SendEnv"],
  ])("%s is named as ignored", async (line, name) => {
    await using directory = await temporaryDirectory();
    expect(await read(directory, line, useProgram)).toMatchObject({
      ignored: [name],
      needsSystemSsh: [],
    });
  });

  test.skipIf(!isPossible)("what is set to its default is not named", async () => {
    await using directory = await temporaryDirectory();
    const config = [
      ...["ForwardAgent no", "ForwardX11 no", "Compression no", "ControlMaster no", "Tunnel no"],
      ...["SendEnv LANG LC_*", "RemoteCommand none", "TCPKeepAlive yes", "SessionType none"],
      ...["LocalForward 8080 /run/app.sock", "VerifyHostKeyDNS no", "RequestTTY auto"],
    ];
    expect(await read(directory, config.join("\n"), useProgram)).toMatchObject({
      ignored: [],
      needsSystemSsh: [],
    });
  });

  test.skipIf(!isPossible)("an identity file that is a security key needs it", async () => {
    await using directory = await temporaryDirectory();
    const key = directory.file("id_box");
    await writeFile(`${key}.pub`, "sk-ssh-ed25519@openssh.com AAAA me@laptop\n");
    const { needsSystemSsh } = await read(directory, `IdentityFile ${key}\n`, useProgram);
    expect(needsSystemSsh).toEqual([`IdentityFile ${key} (a security key signs in)`]);
  });
});

test("without ssh, criteria that cannot be decided leave their block out, by name", async () => {
  await using directory = await temporaryDirectory();
  const config = [
    'Match exec "true"',
    "  User never",
    "Match originalhost other exec false",
    "Match tagged work",
    "  Port 2",
    "Match originalhost box",
    "  Port 3",
  ];
  expect(await read(directory, config.join("\n"), false)).toMatchObject({
    port: 3,
    needsSystemSsh: [
      "Match exec (it decides which settings apply)",
      "Match tagged (it decides which settings apply)",
    ],
  });
});

test("without ssh, a name that DNS would have to complete needs it", async () => {
  await using directory = await temporaryDirectory();
  const config = "CanonicalizeHostname yes\nCanonicalDomains example.org\n";
  const { needsSystemSsh } = await read(directory, config, false);
  expect(needsSystemSsh).toEqual([expect.stringMatching(/^CanonicalizeHostname /u)]);
});

describe("GSSAPIAuthentication", () => {
  const printed = (own: boolean, more = ""): string =>
    [
      'case "$*" in *-F*)',
      `  printf 'hostname box\\ngssapiauthentication ${own ? "yes" : "no"}\\n';;`,
      "*)",
      `  printf 'hostname box\\ngssapiauthentication yes\\n${more}';;`,
      "esac",
    ].join("\n");

  test("that only the system's file switches on is named as ignored, in one call", async () => {
    await using directory = await temporaryDirectory();
    const program = await standIn(directory, printed(false));
    const settings = await resolveSshSettings(
      { host: "box" },
      { env, sshProgram: program.path, home: directory.path },
    );
    expect(settings).toMatchObject({ needsSystemSsh: [], ignored: ["GSSAPIAuthentication"] });
    expect(await program.calls()).toHaveLength(1);
  });

  test.each([
    ["in the file", "Host box\n  GSSAPIAuthentication yes\n"],
    ["in what it includes", "Include work\n"],
  ])("that the user's own file switches on %s needs the system's ssh", async (_, config) => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.file(".ssh"));
    await writeFile(directory.file(".ssh", "config"), config);
    const program = await standIn(directory, printed(true));
    const settings = await resolveSshSettings(
      { host: "box" },
      { env, sshProgram: program.path, home: directory.path },
    );
    expect(settings.needsSystemSsh).toEqual([expect.stringMatching(/^GSSAPIAuthentication /u)]);
    expect(settings.ignored).toEqual([]);
    expect(await program.calls()).toHaveLength(2);
  });

  test("that the user's own file has for another host is ignored", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.file(".ssh"));
    await writeFile(directory.file(".ssh", "config"), "Host other\nGSSAPIAuthentication yes\n");
    const program = await standIn(directory, printed(false));
    const settings = await resolveSshSettings(
      { host: "box" },
      { env, sshProgram: program.path, home: directory.path },
    );
    expect(settings).toMatchObject({ needsSystemSsh: [], ignored: ["GSSAPIAuthentication"] });
  });

  test("that is preferred needs it wherever it is switched on", async () => {
    await using directory = await temporaryDirectory();
    const more = "preferredauthentications gssapi-with-mic,publickey\\n";
    const program = await standIn(directory, printed(false, more));
    const settings = await resolveSshSettings(
      { host: "box" },
      { env, sshProgram: program.path, home: directory.path },
    );
    expect(settings.needsSystemSsh).toEqual([expect.stringMatching(/^GSSAPIAuthentication /u)]);
  });
});

describe("whether a file is a security key", () => {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, "latin1");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const one = Buffer.from([0, 0, 0, 1]);
  const privateKey = (type: string): string => {
    const options = text("\0\0\0\u0004salt");
    const blob = text(text(type).toString("latin1") + text("x".repeat(32)).toString("latin1"));
    const bytes = Buffer.concat([
      Buffer.from("openssh-key-v1\0"),
      ...[text("aes256-ctr"), text("bcrypt"), options, one, blob, text("sealed")],
    ]);
    const lines = bytes.toString("base64").match(/.{1,70}/gu) ?? [];
    return [
      "-----BEGIN OPENSSH PRIVATE KEY-----",
      ...lines,
      "-----END OPENSSH PRIVATE KEY-----\n",
    ].join("\n");
  };

  test.each([
    ["an encrypted handle", privateKey("sk-ssh-ed25519@openssh.com"), true],
    ["another handle", privateKey("sk-ecdsa-sha2-nistp256@openssh.com"), true],
    ["an ordinary key", privateKey("ssh-ed25519"), false],
    ["a public key of one", "sk-ssh-ed25519@openssh.com AAAA", true],
    ["an ordinary public key", "ssh-ed25519 AAAA", false],
    ["a key of another format", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", false],
    ["a damaged file", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n", false],
    ["an empty file", "", false],
  ])("%s: %s", async (_, content, expected) => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.file("key"), content);
    expect(await isSecurityKey(directory.file("key"))).toBe(expected);
  });

  test("no file and a directory are none", async () => {
    await using directory = await temporaryDirectory();
    expect(await isSecurityKey(directory.file("none"))).toBe(false);
    expect(await isSecurityKey(directory.path)).toBe(false);
  });
});
