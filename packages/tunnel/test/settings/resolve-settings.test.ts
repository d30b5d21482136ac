import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { findSshProgram } from "../../src/settings/find-ssh-program.ts";
import {
  resolveSshSettings,
  type ResolveSettingsOptions,
} from "../../src/settings/resolve-settings.ts";
import type { SshSettings } from "../../src/settings/ssh-settings.ts";
import { parseSshTarget } from "../../src/target.ts";
import { countingSsh, standIn } from "./ssh-programs.ts";

const ssh = findSshProgram(process.env);
const env = { PATH: process.env["PATH"], KEYS: "/my/keys", OTHER: "/run/other.sock" };

/** Reads a target through a configuration of its own. */
async function resolve(
  target: string,
  config: string,
  options: Partial<ResolveSettingsOptions> = {},
): Promise<SshSettings> {
  await using directory = await temporaryDirectory();
  const sshConfig = await writeConfig(directory, config);
  return await resolveSshSettings(parseSshTarget(target), { env, sshConfig, ...options });
}

async function writeConfig(directory: TemporaryDirectory, text: string): Promise<string> {
  const file = directory.file("config");
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

describe.skipIf(ssh === undefined)("with an ssh program", () => {
  test("an alias with Include and Match is what ssh takes it for", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.file("parts"));
    const write = (name: string, text: string): Promise<void> =>
      writeFile(directory.file("parts", name), text, { mode: 0o600 });
    await write("10-first.conf", "Host gate*\n  Port 2201\n  HostName %h.example.org\n");
    await write("20-second.conf", "Match user deploy\n  IdentityFile /keys/deploy\nPort 9\n");
    const sshConfig = await writeConfig(
      directory,
      [
        "Host gateway",
        "  User deploy",
        `  Include ${directory.file("parts", "*.conf")}`,
        "Match host *.example.org originalhost gate*,!gateb",
        "  ServerAliveInterval 1m",
        "  LocalForward 18789 127.0.0.1:18789",
        "Match host *.example.com",
        "  ServerAliveCountMax 9",
        "Host *",
        "  Port 2299",
        "  ServerAliveCountMax 4",
        "  ConnectTimeout 7",
      ].join("\n"),
    );
    const settings = await resolveSshSettings({ host: "gateway" }, { env, sshConfig });
    expect(settings).toMatchObject({
      hostName: "gateway.example.org",
      user: "deploy",
      port: 2201,
      identityFiles: ["/keys/deploy"],
      hasOwnIdentity: true,
      serverAliveIntervalMs: 60_000,
      serverAliveCountMax: 4,
      connectTimeoutMs: 7_000,
      localForwards: [{ localPort: 18_789, remoteHost: "127.0.0.1", remotePort: 18_789 }],
      source: "ssh -G",
      needsSystemSsh: [],
      ignored: [],
    });
    const other = await resolveSshSettings({ host: "gateb" }, { env, sshConfig });
    expect(other).toMatchObject({ hostName: "gateb", port: 2299, serverAliveIntervalMs: 0 });
  });

  test("what the target says comes before what the configuration says", async () => {
    const config = "Host box\n  User them\n  Port 2222\n";
    expect(await resolve("box", config)).toMatchObject({ user: "them", port: 2222 });
    expect(await resolve("me@box:22", config)).toMatchObject({ user: "me", port: 22 });
  });

  test("nothing configured gives the defaults of ssh", async () => {
    const home = userInfo().homedir;
    const settings = await resolve("box", "");
    expect(settings).toMatchObject({
      target: { host: "box" },
      hostName: "box",
      user: userInfo().username,
      port: 22,
      hasOwnIdentity: false,
      identitiesOnly: false,
      identityAgent: undefined,
      userKnownHostsFiles: [`${home}/.ssh/known_hosts`, `${home}/.ssh/known_hosts2`],
      globalKnownHostsFiles: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
      hashKnownHosts: false,
      strictHostKeyChecking: "ask",
      serverAliveIntervalMs: 0,
      connectTimeoutMs: undefined,
      addressFamily: "any",
      bindAddress: undefined,
      algorithms: {},
      preferredAuthentications: undefined,
    });
    expect(settings.identityFiles).toContain(`${home}/.ssh/id_ed25519`);
  });

  test("tokens, variables, quotes and ~ in paths are expanded", async () => {
    const settings = await resolve(
      "ann@box:2222",
      [
        "HostName real.example.org",
        "HostKeyAlias Known",
        'IdentityFile "~/keys/%h %p %r %n %%"',
        "IdentityFile ${KEYS}/%k-%u-%i",
        "IdentityFile /plain/a#b",
        "IdentityFile none",
        "CertificateFile '/certs/%L/one two'",
        "IdentityAgent ${KEYS}/%n.sock",
        'UserKnownHostsFile ~/kh-%k "/tmp/with space/kh"',
      ].join("\n"),
    );
    const { homedir: home, username, uid } = userInfo();
    expect(settings).toMatchObject({
      hostKeyAlias: "known",
      identityFiles: [
        `${home}/keys/real.example.org 2222 ann box %`,
        `/my/keys/known-${username}-${uid}`,
        "/plain/a#b",
      ],
      certificateFiles: [`/certs/${hostname().split(".")[0]}/one two`],
      identityAgent: "/my/keys/box.sock",
      userKnownHostsFiles: [`${home}/kh-known`, "/tmp/with space/kh"],
    });
  });

  test("%C is the hash that ssh itself would take, also behind a jump host", async () => {
    const config = "IdentityFile /k/%C\nControlPath /tmp/%C\n";
    const file = (settings: SshSettings): string | undefined => settings.identityFiles[0];
    const direct = file(await resolve("box", config));
    expect(direct).toMatch(/^\/k\/[0-9a-f]{40}$/u);
    expect(file(await resolve("box", config, { useProgram: false }))).toBe(direct);
    expect(file(await resolve("box", `${config}ProxyJump hop\n`))).toMatch(/^\/k\/[0-9a-f]{40}$/u);
  });

  test.each([
    ["", "/run/default.sock"],
    ["IdentityAgent SSH_AUTH_SOCK", "/run/default.sock"],
    ["IdentityAgent none", undefined],
    ["IdentityAgent $OTHER", "/run/other.sock"],
    ["IdentityAgent $NOT_SET", undefined],
    ["IdentityAgent /run/100%%.sock", "/run/100%.sock"],
  ])("with %j the agent is %j", async (config, socket) => {
    const all = { ...env, SSH_AUTH_SOCK: "/run/default.sock" };
    for (const useProgram of [true, false]) {
      expect((await resolve("box", config, { env: all, useProgram })).identityAgent).toBe(socket);
    }
  });

  test("an address of IPv6 is a host, in its short form", async () => {
    expect(await resolve("[2001:0DB8::0007]:2200", "")).toMatchObject({
      hostName: "2001:db8::7",
      port: 2200,
    });
    expect(await resolve("2001:db8::8", "Host 2001:db8::*\n  User six\n")).toMatchObject({
      hostName: "2001:db8::8",
      user: "six",
    });
  });

  test("an identity stands for all others, and a file for the user's known hosts", async () => {
    const config = "IdentityFile /other\nUserKnownHostsFile /kh\nGlobalKnownHostsFile /gkh\n";
    const options = { identity: "~/my key", knownHosts: "~/my hosts" };
    expect(await resolve("box", config, options)).toMatchObject({
      identityFiles: [`${userInfo().homedir}/my key`],
      hasOwnIdentity: true,
      identitiesOnly: true,
      userKnownHostsFiles: [`${userInfo().homedir}/my hosts`],
      globalKnownHostsFiles: ["/gkh"],
    });
  });

  test("methods that are switched off are not among those to try", async () => {
    const methods = async (config: string): Promise<unknown> =>
      (await resolve("box", config)).preferredAuthentications;
    expect(await methods("PasswordAuthentication no")).toEqual([
      "publickey",
      "keyboard-interactive",
    ]);
    expect(await methods("PreferredAuthentications password,publickey")).toEqual([
      "password",
      "publickey",
    ]);
    expect(
      await methods("PubkeyAuthentication no\nPreferredAuthentications password,publickey"),
    ).toEqual(["password"]);
  });

  test("algorithm lists are there when they are set, and only then", async () => {
    const { algorithms } = await resolve("box", "Ciphers ^aes256-ctr\nMACs hmac-sha2-256\n");
    expect(Object.keys(algorithms).toSorted()).toEqual(["ciphers", "macs"]);
    expect(algorithms.ciphers?.[0]).toBe("aes256-ctr");
    expect(algorithms.ciphers?.length).toBeGreaterThan(3);
    expect(algorithms.macs).toEqual(["hmac-sha2-256"]);
  });

  test("no configuration is read when none is wanted", async () => {
    const settings = await resolveSshSettings({ host: "box" }, { env, sshConfig: false });
    expect(settings).toMatchObject({ hostName: "box", algorithms: {}, ignored: [] });
    expect(settings.hashKnownHosts).toBe(false);
  });
});

describe.skipIf(ssh === undefined)("ssh is asked", () => {
  test("once, when nothing needs a second question", async () => {
    await using directory = await temporaryDirectory();
    const program = await countingSsh(directory, ssh ?? "");
    const sshConfig = await writeConfig(
      directory,
      "Host box\n  HostName box.example.org\n  User ann\n  IdentityFile ~/.ssh/id_ed25519\n",
    );
    await resolveSshSettings({ host: "box" }, { env, sshConfig, sshProgram: program.path });
    expect(await program.calls()).toEqual([`-G -F ${sshConfig} -oControlPath=%C -- box`]);
  });

  test("a second time, for its defaults, when a list of algorithms is set", async () => {
    await using directory = await temporaryDirectory();
    const program = await countingSsh(directory, ssh ?? "");
    const sshConfig = await writeConfig(directory, "Ciphers aes256-ctr\n");
    await resolveSshSettings(
      { host: "box", user: "ann", port: 2200 },
      { env, sshConfig, sshProgram: program.path },
    );
    expect(await program.calls()).toEqual([
      `-G -F ${sshConfig} -oControlPath=%C -p 2200 -l ann -- box`,
      "-G -F none -oControlPath=%C -p 2200 -l ann -- box",
    ]);
  });

  test("with the environment, but without this program's credentials", async () => {
    await using directory = await temporaryDirectory();
    const program = await standIn(directory, `env >${directory.file("seen")}; exit 1`);
    await resolveSshSettings(
      { host: "box" },
      {
        env: {
          PATH: "/usr/bin:/bin",
          KEYS: "k",
          OPENCLAW_GATEWAY_TOKEN: "secret",
          EMPTY: undefined,
        },
        sshProgram: program.path,
      },
    ).catch(() => undefined);
    const seen = await readFile(directory.file("seen"), "utf8");
    expect(seen).toContain("KEYS=k");
    expect(seen).not.toMatch(/secret|EMPTY/u);
  });

  test("and no shell ever sees what the target or the configuration says", async () => {
    await using directory = await temporaryDirectory();
    const witness = directory.file("witness");
    const config = [
      `IdentityFile "/k/$(touch ${witness})"`,
      `User "\`touch ${witness}\`"`,
      `HostName "x;touch ${witness}"`,
    ];
    const settings = await resolve("box", config.join("\n"));
    expect(settings.identityFiles).toEqual([`/k/$(touch ${witness})`]);
    expect(settings.user).toBe(`\`touch ${witness}\``);
    expect(existsSync(witness)).toBe(false);
  });
});

describe("a target that was not read by parseSshTarget", () => {
  test.each([
    { host: "-oProxyCommand=touch /tmp/x" },
    { host: "box", user: "-l" },
    { host: "box\n" },
    { host: " box" },
    { host: "a b" },
    { host: "%h" },
    { host: "" },
    { host: "you@box" },
    { host: "box", port: 0 },
    { host: "box", port: 22.5 },
    { host: "box", user: "a%h" },
  ])("is held to the same rules: %j", async (target) => {
    await expect(resolveSshSettings(target, { env, sshConfig: false })).rejects.toMatchObject({
      code: "INVALID_TARGET",
    });
  });
});

describe.skipIf(ssh === undefined)("a fault of the configuration", () => {
  test.each([
    ["Host *\n  Colour blue\n", 2],
    ["\n\nPort 99999\n", 3],
    ["Match nonsense x\n", 1],
    ['User "open\n', 1],
    ["ServerAliveInterval soon\n", 1],
  ])("%j is told with file and line", async (config, line) => {
    for (const useProgram of [true, false]) {
      await expect(resolve("box", config, { useProgram })).rejects.toMatchObject({
        code: "INVALID_SSH_CONFIG",
        final: true,
        details: { file: expect.stringMatching(/config$/u), line },
      });
    }
  });

  test.each([
    ["IdentityFile /k/%q\n", "%q"],
    ["IdentityFile ${NOT_SET}/k\n", "NOT_SET"],
    ["HostName %x\n", "%x"],
    ["ProxyJump a@b@c\n", "ProxyJump"],
  ])("%j is told with what is wrong", async (config, fault) => {
    for (const useProgram of [true, false]) {
      await expect(resolve("box", config, { useProgram })).rejects.toMatchObject({
        code: "INVALID_SSH_CONFIG",
        message: expect.stringContaining(fault),
      });
    }
  });

  test("and so is a file that is not there", async () => {
    for (const useProgram of [true, false]) {
      await expect(
        resolveSshSettings({ host: "box" }, { env, sshConfig: "/nowhere/config", useProgram }),
      ).rejects.toMatchObject({
        code: "INVALID_SSH_CONFIG",
        details: { file: "/nowhere/config" },
      });
    }
  });
});

describe.skipIf(ssh === undefined)("a command under Match exec", () => {
  test("is run by ssh as it always is", async () => {
    const config = 'Match exec "test %h = box"\n  User yes\nMatch exec false\n  Port 99\n';
    expect(await resolve("box", config)).toMatchObject({ user: "yes", port: 22 });
  });

  test("is given up in time, and nothing of it goes on", async () => {
    await using directory = await temporaryDirectory();
    const pidFile = directory.file("pid");
    const config = `Match exec "echo $$ >${pidFile}; exec sleep 600"\n  User never\n`;
    await expect(resolve("box", config, { timeoutMs: 2_000 })).rejects.toMatchObject({
      code: "TIMED_OUT",
      details: { stage: "configuration" },
      hint: expect.stringContaining("Match exec"),
    });
    const pid = Number(await readFile(pidFile, "utf8"));
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false));
  });

  test("may leave something in the background that holds its stderr", async () => {
    await using directory = await temporaryDirectory();
    const pidFile = directory.file("pid");
    const config = `Match exec "sleep 600 & echo $! >${pidFile}"\n  User quick\n`;
    const settings = await resolve("box", config, { timeoutMs: 20_000 });
    const pid = Number(await readFile(pidFile, "utf8"));
    process.kill(pid, "SIGKILL");
    expect(settings.user).toBe("quick");
  });

  test("ends when the caller gives up", async () => {
    await using directory = await temporaryDirectory();
    const pidFile = directory.file("pid");
    const giveUp = new AbortController();
    const config = `Match exec "echo $$ >${pidFile}; exec sleep 600"\n`;
    const outcome = resolve("box", config, { signal: giveUp.signal, timeoutMs: 60_000 }).catch(
      (error: unknown) => error,
    );
    await vi.waitFor(async () => expect(await readFile(pidFile, "utf8")).toMatch(/\d\n/u));
    giveUp.abort();
    expect(await outcome).toMatchObject({ code: "CLOSED" });
    const pid = Number(await readFile(pidFile, "utf8"));
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false));
  });
});

test("a caller who has given up before gets no answer", async () => {
  for (const useProgram of [true, false]) {
    await expect(
      resolve("box", "", { signal: AbortSignal.abort(), useProgram }),
    ).rejects.toMatchObject({ code: "CLOSED" });
  }
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
