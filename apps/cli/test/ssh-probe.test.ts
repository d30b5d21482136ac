import { writeFile } from "node:fs/promises";
import { freePort, hasSshd } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { createCli, startGateway, TOKEN } from "./cli-fixture.ts";
import { startSshGateway } from "./ssh-rig.ts";

interface Target {
  id: string;
  active: boolean;
  tunnel: Record<string, unknown> | null;
  connect: { ok: boolean };
}

describe.runIf(hasSshd)("gateway probe over SSH", () => {
  test("tries the named SSH target first, and prefers it", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    await using local = await startGateway();
    // A probe asks for no pairing, and without one it may read little.
    await cli.run(["health", ...far.flags]);
    const args = ["gateway", "probe", "--ssh", far.url, "--token", TOKEN, ...far.sshFlags];
    const result = await cli.run([...args, "--port", String(local.port), "--json"]);
    expect(result.code).toBe(0);
    expect(result.json()).toMatchObject({
      ok: true,
      primaryTargetId: "sshTunnel",
      warnings: [{ code: "multiple_gateways" }],
    });
    const { targets } = result.json() as { targets: Target[] };
    expect(targets.map(({ id }) => id)).toEqual(["sshTunnel", "localLoopback"]);
    expect(targets[0]?.tunnel).toEqual({
      kind: "ssh",
      target: far.rig.target,
      localPort: null,
      remotePort: far.gateway.port,
      pid: null,
      engine: "ssh2",
    });
    const shown = await cli.run(args);
    expect(shown.stdout).toContain("Remote over SSH");
    expect(shown.stdout).toContain(`ssh: ${far.rig.target}`);
  });

  test("knows the SSH target of the config, and that it leads to the Gateway that it goes to directly", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const { rig, gateway } = far;
    await cli.run(["health", ...far.flags]);
    const path = cli.home.file("openclaw.json");
    const remote = {
      transport: "direct",
      url: gateway.url,
      sshTarget: rig.target,
      sshIdentity: rig.identity,
      remotePort: gateway.port,
      token: TOKEN,
    };
    await writeFile(
      path,
      JSON.stringify({ gateway: { mode: "remote", port: await freePort(), remote } }),
    );
    const args = ["gateway", "probe", "--json", "--ssh-known-hosts", rig.knownHosts];
    const result = await cli.run(args, { env: { OPENCLAW_CONFIG_PATH: path } });
    expect(result.json()).toMatchObject({ ok: true, warnings: [] });
    const { targets } = result.json() as { targets: Target[] };
    expect(targets).toMatchObject([
      { id: "sshTunnel", active: false, connect: { ok: true } },
      { id: "configRemote", active: true, tunnel: null, connect: { ok: true } },
      { id: "localLoopback", connect: { ok: false } },
    ]);
  });

  test("a way that fails is a warning with its reason", async () => {
    await using cli = await createCli();
    const ssh = `me@127.0.0.1:${await freePort()}`;
    const port = String(await freePort());
    const result = await cli.run(["gateway", "probe", "--json", "--ssh", ssh, "--port", port]);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({
      ok: false,
      warnings: [
        { code: "no_gateway_reachable" },
        { code: "ssh_tunnel_failed", targetIds: ["sshTunnel"] },
      ],
    });
  });
});
