import { expect, test } from "vitest";
import { startProcess, type TestProcess } from "../process-fixture.ts";
import { fakeTailscale, type FakeTailscale } from "./fake-tailscale.ts";

const LINK = "https://login.tailscale.com/f/";

function start({ program, env }: FakeTailscale, line: string): TestProcess {
  return startProcess(program, line.split(" "), { env });
}

async function run(fake: FakeTailscale, line: string) {
  await using child = start(fake, line);
  const { code } = await child.exited;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

const route = (target: string) => ({
  TCP: { 443: { HTTPS: true } },
  Web: { "box.tail1234.ts.net:443": { Handlers: { "/": { Proxy: target } } } },
});

test("serves a port in the background, shows it, and takes it off again", async () => {
  await using fake = await fakeTailscale();
  const served = await run(fake, "serve --bg --yes 18789");
  expect(served).toMatchObject({ code: 0 });
  expect(served.stdout).toContain("Available within your tailnet:");
  expect(fake.table()).toEqual(route("http://127.0.0.1:18789"));
  const shown = await run(fake, "serve status --json");
  expect(JSON.parse(shown.stdout)).toEqual(fake.table());
  expect(await run(fake, "serve --https=443 off")).toMatchObject({ code: 0 });
  expect(fake.table()).toEqual({});
  expect((await run(fake, "serve status --json")).stdout).toBe("null\n");
  expect(fake.calls()).toEqual([
    ["serve", "--bg", "--yes", "18789"],
    ["serve", "status", "--json"],
    ["serve", "--https=443", "off"],
    ["serve", "status", "--json"],
  ]);
});

test("replaces without a question what is mounted there, and takes the port off Funnel", async () => {
  await using fake = await fakeTailscale();
  await run(fake, "funnel --bg --yes 3000");
  expect(fake.table()).toMatchObject({ AllowFunnel: { "box.tail1234.ts.net:443": true } });
  await run(fake, "serve --bg --yes https+insecure://127.0.0.1:18789");
  expect(fake.table()).toEqual(route("https+insecure://127.0.0.1:18789"));
});

test("removes one mount when it is named, and asks before it removes several", async () => {
  const { TCP } = route("");
  const Handlers = { "/": { Proxy: "http://127.0.0.1:1" }, "/files": { Path: "/srv" } };
  const table = { TCP, Web: { "box.tail1234.ts.net:443": { Handlers } } };
  await using fake = await fakeTailscale({ table });
  expect((await run(fake, "serve --https=443 off")).stdout).toContain("Are you sure");
  expect(fake.table()).toEqual(table);
  await run(fake, "serve --https=443 --set-path=/ off");
  expect(fake.table().Web).toEqual({
    "box.tail1234.ts.net:443": { Handlers: { "/files": { Path: "/srv" } } },
  });
  await run(fake, "serve reset");
  expect(fake.table()).toEqual({});
});

test.each([
  ["serve --bg --yes 1", { isOperator: false }, /Access denied: serve config denied/],
  ["serve --bg --yes 1", { backendState: "NeedsLogin" }, /Log in at: https:/],
  ["serve --bg --yes 1", { backendState: "Stopped" }, /Tailscale is stopped/],
  ["serve --bg --yes 1", { isDaemonRunning: false }, /Failed to connect to local Tailscale daemon/],
  ["serve --bg --yes 1", { version: "1.40.1" }, /flag provided but not defined: -bg/],
  ["serve --https=443 off", {}, /handler does not exist/],
  [
    "serve --bg --yes 1",
    { table: { TCP: { 443: { TCPForward: "127.0.0.1:22" } } } },
    /already serving/,
  ],
  [
    "serve --bg --yes 1",
    { table: { Foreground: { a: route("http://127.0.0.1:1") } } },
    /foreground/,
  ],
  ["status --json", { isDaemonRunning: false }, /failed to connect to local tailscaled/],
  ["whois --json 100.64.0.1", {}, /peer not found/],
  ["ssh box", {}, /unknown subcommand/],
])("%s fails with %j as the real one does", async (line, options, message) => {
  await using fake = await fakeTailscale(options);
  const before = fake.tableText();
  const { code, stderr } = await run(fake, line);
  expect(code).toBeGreaterThan(0);
  expect(stderr).toMatch(message);
  expect(fake.tableText()).toBe(before);
});

test.each([
  ["serve", { isHttpsEnabled: false }],
  ["funnel", { isFunnelEnabled: false }],
])("%s shows the link that enables it, and waits for somebody to follow it", async (name, off) => {
  await using fake = await fakeTailscale(off);
  await using child = start(fake, `${name} --bg --yes 1`);
  await child.line(`${LINK}${name}?node=`, { deadlineMs: 30_000 });
  child.signal("SIGTERM");
  expect(child.isRunning).toBe(true);
  expect(fake.table()).toEqual({});
});

test("tells who is behind an address, and which machine is tagged", async () => {
  await using fake = await fakeTailscale({
    peers: {
      "100.64.0.1": { login: "ada@example.com", name: "Ada" },
      "100.64.0.2": { login: "", tags: ["tag:server"] },
    },
    isNoisy: true,
  });
  const person = await run(fake, "whois --json 100.64.0.1");
  expect(person.stdout).toMatch(
    /^# Health check:[^]*"LoginName": "ada@example.com"[^]*# An update/u,
  );
  expect(person.stderr).toContain("Warning: client version");
  const machine = await run(fake, "whois --json 100.64.0.2");
  expect(machine.stdout).toMatch(/"Tags": \[\s*"tag:server"[^]*"LoginName": "tagged-devices"/u);
});

test("says Starting as often as it is told, then Running", async () => {
  await using fake = await fakeTailscale({ startsAfter: 1 });
  const state = async () =>
    /"BackendState": "(\w+)"/u.exec((await run(fake, "status --json")).stdout);
  expect((await state())?.[1]).toBe("Starting");
  expect((await state())?.[1]).toBe("Running");
});

test("a fault strikes as often as it is told, and only where it is told", async () => {
  await using fake = await fakeTailscale();
  fake.fail({ on: "serve status", kind: "fail", text: "context deadline exceeded", times: 1 });
  expect(await run(fake, "version")).toMatchObject({ code: 0 });
  expect(await run(fake, "serve status --json")).toMatchObject({
    code: 1,
    stderr: "context deadline exceeded\n",
  });
  expect(await run(fake, "serve status --json")).toMatchObject({ code: 0 });
});

test("a fault can be a lie, half of the work, or somebody who is faster", async () => {
  await using fake = await fakeTailscale();
  fake.fail({ on: "serve --bg", kind: "nothing", times: 1 });
  expect((await run(fake, "serve --bg --yes 1")).stdout).toContain("started and running");
  expect(fake.table()).toEqual({});
  fake.heal();
  fake.fail({ on: "serve --bg", kind: "half" });
  await run(fake, "serve --bg --yes 1");
  expect(fake.table()).toEqual({ TCP: { 443: { HTTPS: true } } });
  fake.heal();
  fake.fail({ on: "serve --bg", kind: "then fail", text: "lost connection" });
  expect(await run(fake, "serve --bg --yes 1")).toMatchObject({ code: 1 });
  expect(fake.table()).toEqual(route("http://127.0.0.1:1"));
  fake.heal();
  fake.fail({ on: "serve --bg", kind: "then replaced", table: route("http://127.0.0.1:9") });
  await run(fake, "serve --bg --yes 1");
  expect(fake.table()).toEqual(route("http://127.0.0.1:9"));
});

test("a flood never ends by itself", async () => {
  await using fake = await fakeTailscale();
  fake.fail({ on: "*", kind: "flood" });
  await using child = start(fake, "status --json");
  await child.line(/x{100}/u, { deadlineMs: 30_000 });
  expect(child.isRunning).toBe(true);
});
