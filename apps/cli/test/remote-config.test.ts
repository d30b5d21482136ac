import { readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";

const CONFIG = [".openclaw", "openclaw.json"] as const;

const readConfig = async (cli: CliFixture): Promise<unknown> =>
  JSON.parse(await readFile(cli.home.file(...CONFIG), "utf8"));

describe("remote set", () => {
  test("makes an SSH target the default, and says how to undo it", async () => {
    await using cli = await createCli();
    const args = ["remote", "set", "me@box:2222", "--identity", "~/.ssh/id_box"];
    const { code, stdout, stderr } = await cli.run([...args, "--remote-port", "19000"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("openclaw remote test");
    expect(stdout).toContain("Undo: openclaw remote unset");
    expect(await readConfig(cli)).toEqual({
      gateway: {
        mode: "remote",
        remote: {
          transport: "ssh",
          sshTarget: "me@box:2222",
          sshIdentity: "~/.ssh/id_box",
          remotePort: 19_000,
        },
      },
    });
    expect((await stat(cli.home.file(...CONFIG))).mode & 0o777).toBe(0o600);
  });

  test.each([
    ["ssh://me@box:2222/19000", { transport: "ssh", sshTarget: "me@box:2222", remotePort: 19_000 }],
    ["work-box", { transport: "ssh", sshTarget: "work-box" }],
    ["wss://gw.example", { transport: "direct", url: "wss://gw.example" }],
  ])("takes %s", async (target, remote) => {
    await using cli = await createCli();
    expect((await cli.run(["remote", "set", target])).stderr).toBe("");
    expect(await readConfig(cli)).toMatchObject({ gateway: { mode: "remote", remote } });
  });

  test("--direct goes without a tunnel and keeps the SSH target", async () => {
    await using cli = await createCli();
    await cli.run(["remote", "set", "me@box", "--direct", "wss://gw.example"]);
    expect(await readConfig(cli)).toMatchObject({
      gateway: { remote: { transport: "direct", sshTarget: "me@box", url: "wss://gw.example" } },
    });
    const shown = await cli.run(["remote", "show", "--json"]);
    expect(shown.json()).toMatchObject({ active: true, url: "wss://gw.example" });
    expect(shown.json()).not.toHaveProperty("via");
  });

  test("takes a secret from stdin, writes it 0600, and never shows it", async () => {
    await using cli = await createCli();
    const secret = "a-${secret}-token";
    const args = ["remote", "set", "me@box", "--token-file", "-"];
    const { code, stdout, stderr } = await cli.run(args, { stdin: `${secret}\n` });
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain("secret}");
    expect(stdout).toMatch(/token +set/);
    // In a config file `${NAME}` would be a reference.
    expect(await readConfig(cli)).toMatchObject({
      gateway: { remote: { token: "a-$${secret}-token" } },
    });
    const shown = await cli.run(["remote", "show", "--json"]);
    expect(shown.json()).toMatchObject({
      remote: { token: "set" },
      credentials: { token: "gateway.remote.token" },
    });
    expect(shown.stdout).not.toContain("secret}");
  });

  test("takes a secret from a file, and no secret of several lines or none", async () => {
    await using cli = await createCli();
    const path = cli.home.file("token");
    await writeFile(path, `${TOKEN}\n`);
    expect((await cli.run(["remote", "set", "me@box", "--token-file", path])).code).toBe(0);
    expect(await readConfig(cli)).toMatchObject({ gateway: { remote: { token: TOKEN } } });
    for (const stdin of ["", "two\nlines\n"]) {
      // oxlint-disable-next-line no-await-in-loop
      const refused = await cli.run(["remote", "set", "me@box", "--token-file", "-"], { stdin });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("--token-file must hold the secret");
    }
  });

  test("refuses a secret on the command line, and names the way that is not kept", async () => {
    await using cli = await createCli();
    const { code, stderr } = await cli.run(["remote", "set", "me@box", "--token", TOKEN]);
    expect(code).toBe(1);
    expect(stderr).toContain("--token-file");
    expect(stderr).not.toContain(TOKEN);
  });

  test("leaves the rest of the file as it is, and drops what was for the Gateway before", async () => {
    await using cli = await createCli();
    await cli.run(["remote", "set", "wss://old.example", "--token-file", "-"], { stdin: TOKEN });
    const path = cli.home.file(...CONFIG);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("{", "{\n  // mine\n"));
    const result = await cli.run(["remote", "set", "me@box", "--json"]);
    expect(result.json()).toMatchObject({ ok: true, changed: true, dropped: ["token"] });
    const after = await readFile(path, "utf8");
    expect(after).toContain("// mine");
    expect(after).not.toContain(TOKEN);
    expect(after).not.toContain("old.example");
    const { backupPath } = result.json() as { backupPath: string };
    expect(await readFile(backupPath, "utf8")).toContain(TOKEN);
  });

  test("keeps the secret of the same Gateway, and changes nothing the second time", async () => {
    await using cli = await createCli();
    await cli.run(["remote", "set", "me@box", "--token-file", "-"], { stdin: TOKEN });
    const again = await cli.run(["remote", "set", "me@box", "--json"]);
    expect(again.json()).toMatchObject({ changed: false, dropped: [] });
    expect(await readConfig(cli)).toMatchObject({ gateway: { remote: { token: TOKEN } } });
  });

  test.each([
    [["-oProxyCommand=evil"], /unknown option|begins with "-"/],
    [["me@box:99999"], /port/],
    [["me@bo x"], /white space/],
    [["ws://gw.example"], /plaintext/],
    [["me@box", "--direct", "ws://gw.example"], /plaintext/],
    [["wss://gw.example", "--identity", "x"], /--identity needs an SSH target/],
    [["box:18789"], /no scheme/],
    [[], /target/],
  ])("refuses %j and writes nothing", async (args, reason) => {
    await using cli = await createCli();
    const { code, stderr } = await cli.run(["remote", "set", ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(reason);
    await expect(readConfig(cli)).rejects.toThrow("ENOENT");
  });
});

describe("remote unset", () => {
  test("goes back to this machine, and keeps the former config beside it", async () => {
    await using cli = await createCli();
    await cli.run(["remote", "set", "me@box", "--token-file", "-"], { stdin: TOKEN });
    const { code, stdout } = await cli.run(["remote", "unset"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Undo: openclaw remote set me@box");
    expect(stdout).not.toContain(TOKEN);
    expect(await readConfig(cli)).toEqual({ gateway: { mode: "local" } });
    const again = await cli.run(["remote", "unset", "--json"]);
    expect(again.json()).toMatchObject({ ok: true, changed: false, removed: null });
  });

  test("makes no file where there is none", async () => {
    await using cli = await createCli();
    expect((await cli.run(["remote", "unset"])).stdout).toContain("Nothing to change");
    await expect(readConfig(cli)).rejects.toThrow("ENOENT");
  });
});

describe("remote show", () => {
  test("says where commands go when nothing is set, and how to set it", async () => {
    await using cli = await createCli();
    const { code, stdout } = await cli.run(["remote", "show"]);
    expect(code).toBe(0);
    expect(stdout).toContain("ws://127.0.0.1:18789 (local loopback)");
    expect(stdout).toContain("openclaw remote set me@box");
  });

  test("says that the environment leads elsewhere than the config", async () => {
    await using cli = await createCli();
    await cli.run(["remote", "set", "me@box"]);
    const env = { OPENCLAW_GATEWAY_URL: "ssh://me@other" };
    const shown = await cli.run(["remote", "show", "--json"], { env });
    expect(shown.json()).toMatchObject({
      active: false,
      urlSource: "env OPENCLAW_GATEWAY_URL",
      via: { target: "me@other" },
      remote: { sshTarget: "me@box" },
    });
  });

  test("a remote Gateway that is set is where commands go", async () => {
    await using cli = await createCli();
    await using gateway = await startGateway();
    await cli.run(["remote", "set", gateway.url, "--token-file", "-"], { stdin: TOKEN });
    expect(await cli.run(["health"])).toMatchObject({ code: 0, stderr: "" });
  });
});
