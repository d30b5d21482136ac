import { writeFile } from "node:fs/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { findSshProgram } from "../../src/settings/find-ssh-program.ts";
import { resolveHops, resolveSshSettings } from "../../src/settings/resolve-settings.ts";
import type { SshSettings } from "../../src/settings/ssh-settings.ts";
import { countingSsh } from "./ssh-programs.ts";

const ssh = findSshProgram(process.env);
const env = { PATH: process.env["PATH"] };

interface Way {
  readonly settings: SshSettings;
  readonly hops: readonly SshSettings[];
}

async function wayTo(host: string, config: string, useProgram: boolean): Promise<Way> {
  await using directory = await temporaryDirectory();
  const sshConfig = directory.file("config");
  await writeFile(sshConfig, config);
  const options = { env, sshConfig, useProgram };
  const settings = await resolveSshSettings({ host }, options);
  return { settings, hops: await resolveHops(settings, options) };
}

const places = (hops: readonly SshSettings[]): readonly string[] =>
  hops.map(({ user, hostName, port }) => `${user}@${hostName}:${port}`);

describe.each([
  { reader: "with ssh", useProgram: true },
  { reader: "without ssh", useProgram: false },
])("a jump chain read $reader", ({ useProgram }) => {
  const isPossible = !useProgram || ssh !== undefined;

  test.skipIf(!isPossible)("is one of settings, each from its own configuration", async () => {
    const config = [
      "Host target",
      "  ProxyJump ann@outer:2201,inner",
      "Host outer",
      "  HostName outer.example.org",
      "  Port 9",
      "  IdentityFile /keys/outer",
      "Host inner",
      "  HostName 192.0.2.7",
      "  User bob",
      "  HostKeyAlias inner-key",
    ].join("\n");
    const { settings, hops } = await wayTo("target", config, useProgram);
    expect(settings.proxyJump).toEqual([
      { host: "outer", user: "ann", port: 2201 },
      { host: "inner" },
    ]);
    expect(places(hops)).toEqual(["ann@outer.example.org:2201", "bob@192.0.2.7:22"]);
    expect(hops[0]).toMatchObject({ identityFiles: ["/keys/outer"], target: { host: "outer" } });
    expect(hops[1]).toMatchObject({ hostKeyAlias: "inner-key", hasOwnIdentity: false });
  });

  test.skipIf(!isPossible)("an address of IPv4 or IPv6 may be a hop", async () => {
    const config = "Host t\nProxyJump [2001:db8::1]:2200,192.0.2.1:44\nHost *\nUser me\n";
    const { hops } = await wayTo("t", config, useProgram);
    expect(places(hops)).toEqual(["me@2001:db8::1:2200", "me@192.0.2.1:44"]);
  });

  test.skipIf(!isPossible)(
    "the first hop brings hosts of its own, which come before it",
    async () => {
      const config = [
        "Host *",
        "  User me",
        "Host target",
        "  ProxyJump second,third",
        "Host second",
        "  ProxyJump first",
        "Host first",
        "  ProxyJump zeroth",
        "Host third",
        "  ProxyJump never-asked",
      ].join("\n");
      const { hops } = await wayTo("target", config, useProgram);
      expect(hops.map(({ hostName }) => hostName)).toEqual(["zeroth", "first", "second", "third"]);
    },
  );

  test.skipIf(!isPossible)("a program carries the first hop at most", async () => {
    const config = "Host target\nProxyJump one,two\nHost one two\nProxyCommand nc %h %p\n";
    const { settings, hops } = await wayTo("target", config, useProgram);
    expect(settings.needsSystemSsh).toEqual([]);
    expect(hops[0]?.needsSystemSsh).toEqual([expect.stringMatching(/^ProxyCommand /u)]);
    expect(hops[1]?.needsSystemSsh).toEqual([]);
  });

  test.skipIf(!isPossible)(
    "the identity and the known hosts are those of the target alone",
    async () => {
      await using directory = await temporaryDirectory();
      const sshConfig = directory.file("config");
      await writeFile(sshConfig, "Host t\nProxyJump hop\nHost hop\nIdentityFile /keys/hop\n");
      const options = { env, sshConfig, useProgram, identity: "/keys/mine", knownHosts: "/kh" };
      const settings = await resolveSshSettings({ host: "t" }, options);
      const [hop] = await resolveHops(settings, options);
      expect(settings.identityFiles).toEqual(["/keys/mine"]);
      expect(hop).toMatchObject({ identityFiles: ["/keys/hop"], identitiesOnly: false });
      expect(hop?.userKnownHostsFiles).not.toContain("/kh");
    },
  );

  test.skipIf(!isPossible).each([
    ["through itself", "Host *\nProxyJump t\n"],
    ["through its own address", "Host t h\nHostName real\nHost t\nProxyJump h\n"],
    ["of two", "Host t\nProxyJump one\nHost one\nProxyJump two\nHost two\nProxyJump one\n"],
    ["of everybody", "Host t\nHostName t1\nHost b\nHostName b1\nHost *\nProxyJump b\n"],
    ["in one list", "Host t\nProxyJump one,two,one\n"],
  ])("a circle %s is refused", async (_, config) => {
    await expect(wayTo("t", config, useProgram)).rejects.toMatchObject({
      code: "INVALID_SSH_CONFIG",
    });
  });

  test.skipIf(!isPossible)("has ten hosts at most", async () => {
    const list = (count: number): string =>
      Array.from({ length: count }, (_, index) => `hop${index}`).join(",");
    const { hops } = await wayTo("t", `Host t\nProxyJump ${list(10)}\n`, useProgram);
    expect(hops).toHaveLength(10);
    for (const config of [
      `Host t\nProxyJump ${list(11)}\n`,
      `Host t\nProxyJump ${list(10)}\nHost hop0\nProxyJump more\n`,
    ]) {
      await expect(wayTo("t", config, useProgram)).rejects.toMatchObject({
        code: "INVALID_SSH_CONFIG",
        message: expect.stringContaining("more than 10"),
      });
    }
  });
});

test.skipIf(ssh === undefined)("ssh is asked once for each host of a chain", async () => {
  await using directory = await temporaryDirectory();
  const program = await countingSsh(directory, ssh ?? "");
  const sshConfig = directory.file("config");
  await writeFile(sshConfig, "Host t\nProxyJump ann@one:2200,[2001:db8::2]\n");
  const options = { env, sshConfig, sshProgram: program.path };
  await resolveHops(await resolveSshSettings({ host: "t" }, options), options);
  const start = `-G -F ${sshConfig} -oControlPath=%C`;
  expect((await program.calls()).toSorted()).toEqual(
    [
      `${start} -- t`,
      `${start} -J ann@one:2200 -- 2001:db8::2`,
      `${start} -p 2200 -l ann -- one`,
    ].toSorted(),
  );
});
