import { writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { fakeTailscale, freePort, startProcess } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { createCli } from "./cli-fixture.ts";
import { starts, writeConfig } from "./gateway-fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

const TOKEN = "a-token-of-the-banner-tests";
const local = async (gateway: object = {}) => ({
  gateway: { mode: "local", port: await freePort(), auth: { token: TOKEN }, ...gateway },
});

test("`gateway start` prints the banner: starting, address, auth mode", async () => {
  const config = await local();
  await using run = await starts({ config, words: ["gateway", "start"] });
  expect(run.banner).toBe(
    `🚀 Gateway starting...\n📡 WebSocket: ws://127.0.0.1:${config.gateway.port}\n🔒 Auth mode: token\n`,
  );
});

test("bind lan prints one line for each address that others reach", async () => {
  const config = await local({ bind: "lan" });
  await using run = await starts({ config });
  const shown = [...run.banner.matchAll(/📡 WebSocket: ws:\/\/([^:]+):/gu)].map(([, host]) => host);
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
  if (own.length === 0) expect(shown).toEqual(["0.0.0.0"]);
  else for (const host of shown) expect(own).toContain(host);
  expect(shown.length).toBeGreaterThan(0);
});

test("Serve: banner, `gateway status` and `status` tell the name, the page and the mode", async () => {
  await using tailscale = await fakeTailscale();
  const config = await local({
    tailscale: { mode: "serve", resetOnExit: true },
    controlUi: { basePath: "/ui" },
  });
  await using run = await starts({ config, tailscale });
  expect(run.banner).toContain("🌐 Tailscale Serve: https://box.tail1234.ts.net/\n");

  const status = await run.command(["gateway", "status"]);
  expect(status.stdout).toMatch(/^✅ Running\n/u);
  expect(status.stdout).toMatch(/Dashboard:\s+https:\/\/box\.tail1234\.ts\.net\/ui\//u);
  expect(status.stdout).toMatch(/Tailscale:\s+serve · box\.tail1234\.ts\.net · https:/u);
  expect((await run.command(["gateway", "status", "--json"])).json()).toMatchObject({
    gateway: {
      isRunning: true,
      exposure: { mode: "serve", isUp: true, wsUrl: "wss://box.tail1234.ts.net" },
      dashboardUrl: "https://box.tail1234.ts.net/ui/",
    },
  });

  const overview = await run.command(["status"]);
  expect(overview.stdout).toMatch(/Tailscale\s+serve · box\.tail1234\.ts\.net · https:\S+/u);
  expect(overview.stdout).toMatch(/Dashboard\s+https:\/\/box\.tail1234\.ts\.net\/ui\//u);
  expect((await run.command(["status", "--json"])).json()).toMatchObject({
    dashboard: "https://box.tail1234.ts.net/ui/",
    tailscale: { mode: "serve", dnsName: "box.tail1234.ts.net" },
  });
});

test("TLS: the fingerprint of the banner is that of `gateway status` and `status`", async () => {
  const config = await local({ tls: { enabled: true } });
  await using run = await starts({ config });
  const [, fingerprint = ""] = /TLS fingerprint \(SHA-256\): (\S+)/u.exec(run.banner) ?? [];
  expect(fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/u);
  const status = await run.command(["gateway", "status"]);
  expect(status.stdout).toContain(fingerprint);
  expect(status.stdout).toMatch(/Dashboard:\s+https:\/\/127\.0\.0\.1:\d+\//u);
  expect((await run.command(["status"])).stdout).toContain(fingerprint);
  expect((await run.command(["status", "--json"])).json()).toMatchObject({
    gateway: { tlsFingerprint: fingerprint, reachable: true },
  });
});

test("without a Gateway `gateway status` says so, and exits 0", async () => {
  await using cli = await createCli();
  await writeConfig(cli, await local({ tailscale: { mode: "serve" } }));
  const status = await cli.run(["gateway", "status"]);
  expect(status.code).toBe(0);
  expect(status.stdout).toMatch(/^❌ Not running\n/u);
  expect(status.stdout).toMatch(/Tailscale:\s+serve · not running/u);
  expect((await cli.run(["gateway", "status", "--json"])).json()).toMatchObject({
    gateway: { isRunning: false, exposure: { mode: "serve", isUp: false, url: null } },
    rpc: { ok: false },
  });
  expect((await cli.run(["status"])).stdout).toMatch(/Tailscale\s+serve · not running/u);
});

test.skipIf(process.platform === "win32")(
  "T: `gateway restart` prints the Serve URL line, and the rest of the next generation's banner",
  async () => {
    await using tailscale = await fakeTailscale();
    await using cli = await createCli();
    const config = await local({ tailscale: { mode: "serve" } });
    await writeConfig(cli, config);
    // Under a name that it is installed by: a restart is asked of nobody else.
    const script = cli.home.file("openclaw.mjs");
    const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
    await writeFile(script, `await import(${JSON.stringify(main)});\n`);
    await using child = startProcess(
      process.execPath,
      ["--conditions=@openclaw/source", script, "gateway", "run"],
      { env: { HOME: cli.home.path, ...tailscale.env } },
    );
    await child.line("Auth mode:", { deadlineMs: 30_000 });
    const restarted = await cli.run(["gateway", "restart"], { env: tailscale.env });
    expect(restarted).toMatchObject({ code: 0 });
    expect(restarted.stdout.split("\n").slice(1)).toEqual([
      `📡 WebSocket: ws://127.0.0.1:${config.gateway.port}`,
      "🌐 Tailscale Serve: https://box.tail1234.ts.net/",
      "🔒 Auth mode: token",
      "",
    ]);
    const again = await cli.run(["gateway", "restart", "--json"], { env: tailscale.env });
    expect(again.json()).toMatchObject({
      ok: true,
      result: "restarted",
      authMode: "token",
      exposure: { mode: "serve", url: "https://box.tail1234.ts.net/" },
      tlsFingerprint: null,
    });
  },
);

test("`health` prints its three lines, and a document with --json", async () => {
  const config = await local();
  await using run = await starts({ config });
  const lines = (await run.command(["health"])).stdout.split("\n");
  expect(lines.slice(0, 2)).toEqual(["✅ Gateway is healthy", "✅ Authenticated successfully"]);
  expect((await run.command(["health", "--json"])).json()).toMatchObject({ ok: true });
});
