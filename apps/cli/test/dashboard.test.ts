import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { type CliFixture, createCli, startGateway } from "./cli-fixture.ts";

async function configure(cli: CliFixture, gateway: object): Promise<void> {
  await mkdir(cli.home.file(".openclaw"), { recursive: true });
  await writeFile(cli.home.file(".openclaw", "openclaw.json"), JSON.stringify({ gateway }));
}

/** A desktop whose only program opens pages, and writes down which. */
async function desktop(cli: CliFixture) {
  const folder = cli.home.file("bin");
  const opened = cli.home.file("opened");
  await mkdir(folder, { recursive: true });
  const program = `${folder}/xdg-open`;
  await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$#" "$@" > '${opened}'\n`);
  await chmod(program, 0o755);
  return { env: { PATH: folder, DISPLAY: ":7" }, opened };
}

test("dashboard prints the address with its base path, opens it, and never with the token", async () => {
  await using cli = await createCli();
  const token = "a-secret-of-the-dashboard";
  await configure(cli, {
    mode: "local",
    port: 18_999,
    auth: { token },
    controlUi: { basePath: "ui/" },
  });
  const { env, opened } = await desktop(cli);
  const { code, stdout, stderr } = await cli.run(["dashboard"], { env });
  expect(code).toBe(0);
  expect(stdout).toContain("Dashboard: http://127.0.0.1:18999/ui/\n");
  expect(stdout).toContain("Opened in your browser.");
  await vi.waitFor(() => expect(existsSync(opened)).toBe(true), { timeout: 10_000 });
  await vi.waitFor(
    () => expect(readFileSync(opened, "utf8")).toBe("1\nhttp://127.0.0.1:18999/ui/\n"),
    { timeout: 10_000 },
  );
  expect(stdout + stderr).not.toContain(token);
});

test("--no-open and --json open nothing, and the document says that no token is in it", async () => {
  await using cli = await createCli();
  const { env, opened } = await desktop(cli);
  await cli.run(["dashboard", "--no-open"], { env });
  const result = await cli.run(["dashboard", "--json"], { env });
  expect(result.json()).toMatchObject({
    ok: true,
    url: "http://127.0.0.1:18789/",
    httpUrl: "http://127.0.0.1:18789/",
    wsUrl: "ws://127.0.0.1:18789",
    port: 18_789,
    tokenIncluded: false,
    browserUrl: null,
    ssh: null,
  });
  expect(existsSync(opened)).toBe(false);
});

test("over SSH it prints the line for the other machine instead of opening a browser here", async () => {
  await using cli = await createCli();
  const { env, opened } = await desktop(cli);
  const ssh = { SSH_CONNECTION: "198.51.100.4 50022 203.0.113.9 2222", USER: "me" };
  const { stdout } = await cli.run(["dashboard"], { env: { ...env, ...ssh } });
  expect(stdout).toContain(
    "First, at your own machine:\n  ssh -N -L 18789:127.0.0.1:18789 -p 2222 me@203.0.113.9\n",
  );
  expect(existsSync(opened)).toBe(false);
});

test("without a desktop or a program to open pages, the address is the answer", async () => {
  await using cli = await createCli();
  const without = await cli.run(["dashboard"], { env: { PATH: cli.home.path } });
  expect(without.stdout).toContain("Dashboard: http://127.0.0.1:18789/\n");
  const helpless = await cli.run(["dashboard"], { env: { PATH: cli.home.path, DISPLAY: ":7" } });
  expect(helpless.code).toBe(0);
  expect(helpless.stdout).toContain("No program to open a browser was found.");
});

test.each<[string, object, string, string | null]>([
  [
    "a direct Gateway, with the path of its proxy",
    { url: "wss://gw.example.com/ctx" },
    "https://gw.example.com/ctx/",
    null,
  ],
  [
    "a Gateway behind SSH",
    { transport: "ssh", sshTarget: "me@box:2222", remotePort: 19_000, sshIdentity: "/keys/my key" },
    "http://127.0.0.1:19000/",
    "ssh -N -L 19000:127.0.0.1:19000 -p 2222 -i '/keys/my key' me@box",
  ],
])("remote mode: the address of %s", async (_what, remote, url, ssh) => {
  await using cli = await createCli();
  await configure(cli, { mode: "remote", remote: { url: "ws://127.0.0.1:18789", ...remote } });
  const { stdout } = await cli.run(["dashboard", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ url, ssh });
});

test("a URL that carries a secret is refused, and the secret is not repeated", async () => {
  await using cli = await createCli();
  await configure(cli, {
    mode: "remote",
    remote: { url: "wss://gw.example.com/ctx?token=hidden" },
  });
  const { code, stdout, stderr } = await cli.run(["dashboard", "--json"]);
  expect(code).toBe(1);
  expect(stdout + stderr).not.toContain("hidden");
});

test("a page that is turned off is said to be", async () => {
  await using cli = await createCli();
  await configure(cli, { mode: "local", controlUi: { enabled: false } });
  const result = await cli.run(["dashboard", "--json"]);
  expect(result.json()).toMatchObject({ ok: false });
  expect(result.stderr).toContain("gateway.controlUi.enabled");
});

test("a Gateway that serves no page is said to serve none", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const env = { OPENCLAW_GATEWAY_PORT: String(gateway.port) };
  const { stderr, json } = await cli.run(["dashboard", "--json"], { env });
  expect(json()).toMatchObject({ ok: false, url: `http://127.0.0.1:${gateway.port}/` });
  expect(stderr).toContain("serves no page");
});
