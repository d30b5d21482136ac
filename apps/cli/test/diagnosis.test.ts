import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createCli, startGateway, TOKEN } from "./cli-fixture.ts";

test("status is data and exit 0, whether the Gateway answers or not", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_GATEWAY_PORT: String(gateway.port) };
  const up = await cli.run(["status", "--json", "--deep"], { env });
  expect(up.code).toBe(0);
  expect(up.json()).toMatchObject({
    gateway: { mode: "local", reachable: true, urlSource: "local loopback", error: null },
    nodes: { known: 0, connected: 0 },
    health: { ok: true },
  });
  await gateway.gateway.close();
  const down = await cli.run(["status", "--json"], { env });
  expect(down.code).toBe(0);
  expect(down.json()).toMatchObject({ gateway: { reachable: false } });
  const human = await cli.run(["status", "--all"], { env });
  expect(human.code).toBe(0);
  expect(human.stdout).toMatch(
    /Gateway\s+local · ws:\/\/127\.0\.0\.1:\d+ \(local loopback\) · unreachable/,
  );
  expect(human.stdout).toContain("✗ the Gateway at");
  expect(human.stdout + human.stderr).not.toContain(TOKEN);
});

test("gateway status reports the probe, and fails only when it must answer", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const flags = ["--port", String(gateway.port), "--token", TOKEN];
  const up = await cli.run(["gateway", "status", "--json", ...flags]);
  expect(up.json()).toMatchObject({
    service: { loaded: false },
    gateway: { port: gateway.port, portSource: "--port", bindMode: "loopback" },
    port: { status: "busy", hints: [] },
    rpc: { ok: true, capability: "read_only" },
  });
  expect((await cli.run(["gateway", "status", ...flags])).stdout).toMatch(/RPC probe:\s+ok/);
  await gateway.gateway.close();
  expect((await cli.run(["gateway", "status", "--json", ...flags])).code).toBe(0);
  const strict = await cli.run(["gateway", "status", "--json", "--require-rpc", ...flags]);
  expect(strict.code).toBe(1);
  expect(strict.json()).toMatchObject({ port: { status: "free" }, rpc: { ok: false } });
  const skipped = await cli.run(["gateway", "status", "--json", "--no-probe", ...flags]);
  expect(skipped.json()).not.toHaveProperty("rpc");
});

test("gateway status with --url and no credential reports that in rpc, and exits 0", async () => {
  await using cli = await createCli();
  const result = await cli.run(["gateway", "status", "--json", "--url", "ws://127.0.0.1:1"]);
  expect(result.code).toBe(0);
  expect(result.json()).toMatchObject({
    rpc: { ok: false, error: expect.stringContaining("credentials") },
  });
});

test("gateway probe tries the local and the configured remote one, and prefers the remote", async () => {
  await using cli = await createCli();
  await using local = await startGateway();
  await using remote = await startGateway();
  await mkdir(cli.home.file(".openclaw"));
  await writeFile(
    cli.home.file(".openclaw", "openclaw.json"),
    JSON.stringify({
      gateway: {
        mode: "remote",
        port: local.port,
        auth: { token: TOKEN },
        remote: { url: remote.url, token: TOKEN },
      },
    }),
  );
  const both = await cli.run(["gateway", "probe", "--json"]);
  expect(both.code).toBe(0);
  expect(both.json()).toMatchObject({
    ok: true,
    primaryTargetId: "configRemote",
    warnings: [{ code: "multiple_gateways" }],
    targets: [
      { id: "configRemote", active: true, connect: { ok: true, rpcOk: true } },
      { id: "localLoopback", active: false, connect: { ok: true } },
    ],
  });
  expect(both.stdout).not.toContain(TOKEN);
  await local.gateway.close();
  await remote.gateway.close();
  const none = await cli.run(["gateway", "probe"]);
  expect(none.code).toBe(1);
  expect(none.stdout).toContain("Reachable: no");
});

test("remote mode without a URL is misconfigured for status, and an error for the rest", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  await writeFile(
    cli.home.file(".openclaw", "openclaw.json"),
    '{"gateway":{"mode":"remote","port":1}}',
  );
  const status = await cli.run(["status", "--json"]);
  expect(status.json()).toMatchObject({
    gateway: { misconfigured: true, urlSource: "missing gateway.remote.url (fallback local)" },
  });
  const list = await cli.run(["nodes", "list"]);
  expect(list.code).toBe(1);
  expect(list.stderr).toContain("gateway.remote.url");
});

test("gateway call prints the answer alone with --json, and the Gateway's error with its code", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const good = await cli.run(["gateway", "call", "node.list", "--json", ...gateway.flags]);
  expect(good.json()).toMatchObject({ nodes: [] });
  const human = await cli.run(["gateway", "call", "node.list", ...gateway.flags]);
  expect(human.stdout).toMatch(/^Gateway call: node\.list\n\{/);
  const unknown = await cli.run(["gateway", "call", "no.such", ...gateway.flags]);
  expect(unknown.stderr).toContain("Gateway call failed: unknown method: no.such");
  const bad = [
    "gateway",
    "call",
    "node.describe",
    "--params",
    '{"nodeId":"x"}',
    "--json",
    ...gateway.flags,
  ];
  expect((await cli.run(bad)).json()).toMatchObject({
    error: { type: "gateway_request_error", code: "INVALID_REQUEST", method: "node.describe" },
  });
  for (const params of ["[1]", "{secret"]) {
    // oxlint-disable-next-line no-await-in-loop
    const wrong = await cli.run(["gateway", "call", "x", "--params", params, "--json"]);
    expect(wrong.json()).toMatchObject({ error: { type: "cli_error", kind: "usage" } });
    expect(wrong.stdout).not.toContain("{secret");
  }
  const elsewhere = [
    "gateway",
    "call",
    "health",
    "--expect-url",
    "ws://127.0.0.1:1",
    "--json",
    ...gateway.flags,
  ];
  expect((await cli.run(elsewhere)).json()).toMatchObject({ error: { kind: "unexpected_url" } });
});

test("without a secret the device signs, and has to be approved where that is not automatic", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway({
    auth: { mode: "none" },
    nodes: { pairing: { autoApproveLocal: false } },
  });
  const env = { OPENCLAW_GATEWAY_PORT: String(gateway.port) };
  const asked = await cli.run(["nodes", "list", "--json"], { env });
  expect(asked.code).toBe(1);
  expect(asked.json()).toMatchObject({ error: { type: "gateway_pairing_required" } });
  const { requestId } = asked.json()["error"] as { requestId: string };
  // A diagnosis neither asks nor makes a key.
  expect((await cli.run(["status", "--json"], { env })).code).toBe(0);
  await gateway.gateway.call("device.pair.approve", { requestId });
  const approved = await cli.run(["nodes", "list", "--json"], { env });
  expect(approved.code).toBe(0);
  expect(existsSync(cli.home.file(".openclaw", "identity", "device.json"))).toBe(true);
});
