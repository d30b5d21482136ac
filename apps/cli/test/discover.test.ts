import { randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import { announce, type GatewayFacts, networkFromEnv } from "@openclaw/discovery";
import { runGateway } from "@openclaw/gateway";
import { freePort, hasSshd } from "@openclaw/testkit";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createCli, TOKEN } from "./cli-fixture.ts";
import { startSshGateway } from "./ssh-rig.ts";

/** A network of one test: multicast over loopback, on a port of its own. */
function testNetwork() {
  return {
    OPENCLAW_MDNS_PORT: String(randomInt(20_000, 60_000)),
    OPENCLAW_MDNS_INTERFACE: "127.0.0.1",
  };
}

async function announced(env: Record<string, string>, facts: Partial<GatewayFacts>): Promise<void> {
  const up = Promise.withResolvers<void>();
  const announcement = announce({
    facts: { displayName: "Studio", hostLabel: "openclaw", port: 18_789, ...facts },
    network: networkFromEnv(env),
    onState: ({ kind }) => kind === "announced" && up.resolve(),
  });
  onTestFinished(() => announcement.close());
  await up.promise;
}

test("gateway discover shows what the network says, and that a fingerprint is nobody's proof", async () => {
  await using cli = await createCli();
  const env = testNetwork();
  await announced(env, {
    displayName: "Studio\u001b[31m",
    tls: { fingerprint: "AB".repeat(32) },
    tailnetDns: "studio.tail.ts.net",
    ssh: { port: 2222, cliPath: "/usr/bin/openclaw" },
  });
  const shown = await cli.run(["gateway", "discover"], { env });
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain("Found 1 gateway · domains: local.\n\nStudio  local.\n");
  expect(shown.stdout).toContain("  tailnet: studio.tail.ts.net\n  lan: openclaw.local\n");
  expect(shown.stdout).toContain("  ws: wss://studio.tail.ts.net:18789\n");
  expect(shown.stdout).toContain("  ssh: studio.tail.ts.net port 2222 · /usr/bin/openclaw\n");
  expect(shown.stdout).toMatch(/tls: (AB){32} \(unverified/);
  const json = (await cli.run(["gateway", "discover", "--json"], { env })).json();
  expect(json).toMatchObject({
    timeoutMs: 2_000,
    domains: ["local."],
    count: 1,
    beacons: [{ host: "openclaw.local", port: 18_789, gatewayTls: true, sshPort: 2222 }],
  });
});

test("nothing found is an answer, with exit 0 and a word on why that may be", async () => {
  await using cli = await createCli();
  const env = testNetwork();
  const args = ["gateway", "discover", "--timeout", "50"];
  const { code, stdout } = await cli.run(args, { env });
  expect(code).toBe(0);
  expect(stdout).toContain("Found 0 gateways");
  expect(stdout).toContain("discovery.mdns.mode full");
  expect((await cli.run([...args, "--json"], { env })).json()).toMatchObject({ count: 0 });
});

test("a Gateway in mode full is found while it runs, and takes its leave", async () => {
  await using cli = await createCli();
  const network = testNetwork();
  await mkdir(cli.home.file(".openclaw"));
  await writeFile(
    cli.home.file(".openclaw", "openclaw.json"),
    '{ gateway: { mode: "local" }, discovery: { mdns: { mode: "full" } } }',
  );
  const { io, out, signal } = createMemoryIo({
    home: cli.home.path,
    env: { ...network, OPENCLAW_MDNS_HOSTNAME: "attic", OPENCLAW_SSH_PORT: "2022" },
  });
  const ready = Promise.withResolvers<number>();
  const ended = runGateway({
    flags: { port: "0", token: TOKEN },
    io,
    paths: resolvePaths({ env: io.env, homedir: cli.home.path }),
    onReady: ({ port }) => ready.resolve(port),
  });
  const port = await ready.promise;
  await vi.waitFor(() => expect(out.stderr).toContain("gateway announced"), { timeout: 20_000 });
  const args = ["gateway", "discover", "--json"];
  const { beacons } = (await cli.run(args, { env: network })).json() as { beacons: object[] };
  expect(beacons).toMatchObject([{ lanHost: "attic.local", gatewayPort: port, sshPort: 2022 }]);
  expect(JSON.stringify(beacons)).not.toContain(TOKEN);
  signal();
  expect(await ended).toBe(0);
  const after = await cli.run(["gateway", "discover", "--timeout", "700", "--json"], {
    env: network,
  });
  expect(after.json()).toMatchObject({ count: 0 });
});

describe.runIf(hasSshd)("gateway probe --ssh-auto", () => {
  test("tries the way in by SSH that the network tells, by a known host key and without a credential", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const env = testNetwork();
    const sshPort = Number(/:(\d+)$/.exec(far.rig.target)?.[1]);
    // The rig answers on this address only, which a name on the network would lead to.
    await announced(env, {
      tailnetDns: "127.0.0.1",
      port: far.gateway.port,
      ssh: { port: sshPort },
    });
    const port = String(await freePort());
    const args = ["gateway", "probe", "--json", "--ssh-auto", "--port", port, "--timeout", "15000"];
    const result = await cli.run([...args, "--token", TOKEN, ...far.sshFlags], { env });
    expect(result.json()).toMatchObject({
      discovery: { timeoutMs: 1_200, count: 1, beacons: [{ sshPort }] },
      targets: [
        {
          id: "sshTunnel",
          active: false,
          tunnel: { target: `127.0.0.1:${sshPort}`, remotePort: far.gateway.port },
          connect: { ok: false, error: expect.stringMatching(/unauthorized/) as string },
        },
        { id: "localLoopback" },
      ],
    });

    const nobody = cli.home.file("no-known-hosts");
    await writeFile(nobody, "");
    const unknown = await cli.run([...args, "--ssh-known-hosts", nobody], { env });
    expect(unknown.json()).toMatchObject({
      warnings: expect.arrayContaining([
        expect.objectContaining({ code: "ssh_tunnel_failed" }),
      ]) as unknown,
    });
  });
});

test("--ssh-auto never accepts a new host key", async () => {
  await using cli = await createCli();
  const args = ["gateway", "probe", "--ssh-auto", "--accept-new"];
  const { code, stderr } = await cli.run(args, { env: testNetwork() });
  expect(code).toBe(1);
  expect(stderr).toContain("anybody on the network can name a host");
});
