import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { freePort } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { createFakeSystemd } from "./fake-systemd.ts";
import { createTunnelHost, echoThrough, isSshdThere } from "./tunnel-fixture.ts";

const UNIT = "openclaw-ssh-tunnel.service";

/** An SSH server, and a command line whose systemd is the stand-in. */
async function createServiceHost() {
  const host = await createTunnelHost();
  const systemd = await createFakeSystemd(host.cli.home);
  const { env } = systemd;
  return {
    ...host,
    systemd,
    run: (args: readonly string[], more: Record<string, string> = {}) =>
      host.run(args, { env: { ...env, ...more } }),
    /** Installs a tunnel that really runs. */
    install(args: readonly string[] = [], more: Record<string, string> = {}) {
      const words = ["tunnel", "install", ...host.flags, "--runtime-path", systemd.node];
      return this.run([...words, ...args], more);
    },
    unitPath: (name: string) => host.cli.home.file(".config/systemd/user", name),
    async writeUnit(name: string, lines: readonly string[]) {
      const path = host.cli.home.file(".config/systemd/user", name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${lines.join("\n")}\n`);
      return path;
    },
    async [Symbol.asyncDispose]() {
      await systemd[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

test.runIf(isSshdThere)(
  "a service is installed, open, restarted, stopped, started and uninstalled",
  // Five programs start one after the other.
  { timeout: 120_000 },
  async () => {
    await using host = await createServiceHost();
    const local = await freePort();
    const forward = ["-L", `${local}:127.0.0.1:${host.rig.echo.port}`];
    const installed = await host.install([...forward, "--json"]);
    expect(installed.json()).toMatchObject({
      ok: true,
      action: "install",
      result: "installed",
      service: { label: UNIT, loaded: true },
      name: "default",
      isOpen: true,
      path: host.unitPath(UNIT),
    });
    expect(installed.code).toBe(0);
    expect(await echoThrough(local, "as a service")).toBe("as a service");

    const unit = await host.systemd.unit(UNIT);
    expect(unit).toContain(`tunnel open ${host.rig.target} --name default --forward ${local}:`);
    expect(unit).toContain("RestartPreventExitStatus=64 78");
    expect(unit).toContain("OPENCLAW_SERVICE_NAME=default");
    expect(unit).not.toMatch(/ssh -f|-fN/u);

    const [before] = await tunnelsOf(host);
    expect(before).toMatchObject({
      ...{ name: "default", target: host.rig.target, running: true, state: "open" },
      isService: true,
      service: { label: UNIT, loaded: true, runtime: { status: "running" } },
    });
    expect((await host.run(["tunnel", "list"])).stdout).toContain(UNIT);

    const again = await host.install(forward);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("is installed already.");
    expect(again.stdout).toContain("--name <name>");

    const restarted = await host.run(["tunnel", "restart", "--json"]);
    expect(restarted.json()).toMatchObject({ ok: true, result: "restarted", isOpen: true });
    const [after] = await tunnelsOf(host);
    expect(after?.pid).not.toBe(before?.pid);

    const stopped = await host.run(["tunnel", "stop", "default"]);
    expect(stopped.code).toBe(0);
    expect(stopped.stdout).toContain("Undo: openclaw tunnel restart default");
    expect(await tunnelsOf(host)).toMatchObject([{ name: "default", running: false }]);
    await expect(echoThrough(local, "nobody")).rejects.toMatchObject({ code: "ECONNREFUSED" });

    expect((await host.run(["tunnel", "restart", "default"])).stdout).toContain("Open: ");
    const removed = await host.run(["tunnel", "uninstall"]);
    expect(removed.code).toBe(0);
    expect(removed.stdout).toContain(
      `Undo: openclaw tunnel install ${host.rig.target} --name default --forward ${local}:`,
    );
    expect(existsSync(host.unitPath(UNIT))).toBe(false);
    expect(await tunnelsOf(host)).toEqual([]);
  },
);

test.runIf(isSshdThere)(
  "two tunnels have a service each, and a command names the one",
  async () => {
    await using host = await createServiceHost();
    const forward = ["-L", `0:127.0.0.1:${host.rig.echo.port}`];
    await host.install([...forward, "--name", "one"]);
    await host.install([...forward, "--name", "two"]);
    expect(existsSync(host.unitPath("openclaw-ssh-tunnel-one.service"))).toBe(true);
    const unclear = await host.run(["tunnel", "stop"]);
    expect(unclear.code).toBe(1);
    expect(unclear.stderr).toContain("which tunnel? There are one, two.");
    expect((await host.run(["tunnel", "uninstall", "one"])).code).toBe(0);
    expect(await tunnelsOf(host)).toMatchObject([{ name: "two", running: true }]);
  },
);

test.runIf(isSshdThere)("a service that gave up says why, until it runs again", async () => {
  await using host = await createServiceHost();
  const knownHosts = host.cli.home.file("known_hosts");
  const flags = ["--known-hosts", knownHosts, "-L", `0:127.0.0.1:${host.rig.echo.port}`];
  const installed = await host.install([...flags, "--json"]);
  expect(installed.json()).toMatchObject({ ok: true, result: "installed", isOpen: false });
  expect(installed.stdout).toContain("It has given up: the host key of ");

  const status = await host.run(["tunnel", "status", "--json"]);
  expect(status.json()).toMatchObject({
    tunnels: [{ running: false, lastFailure: { cause: { code: "HOST_KEY_UNKNOWN" } } }],
  });
  expect((await host.run(["tunnel", "status"])).stdout).toMatch(/State: +gave up /u);

  const mended = await host.install([...flags, "--accept-new", "--force", "--json"]);
  expect(mended.json()).toMatchObject({ result: "updated", isOpen: true });
  expect(JSON.stringify(await tunnelsOf(host))).not.toContain("lastFailure");
});

test.runIf(isSshdThere)("the tutorial's unit is explained, and replaced on request", async () => {
  await using host = await createServiceHost();
  const path = await host.writeUnit("clawdbot-ssh-tunnel.service", [
    ...["[Unit]", "Description=Clawdbot SSH tunnel", "[Service]", "Type=simple"],
    "ExecStart=/usr/bin/ssh -f -N clawdbot-remote",
    ...["Restart=on-failure", "[Install]", "WantedBy=default.target"],
  ]);
  const forward = ["-L", `0:127.0.0.1:${host.rig.echo.port}`];
  const warned = await host.install(forward);
  expect(warned.stderr).toContain("clawdbot-ssh-tunnel.service");
  expect(warned.stderr).toContain("ssh -f goes to the background");
  expect(warned.stderr).toContain("add --replace-leftovers");
  expect(existsSync(path)).toBe(true);

  const replaced = await host.install([...forward, "--force", "--replace-leftovers"]);
  expect(replaced.stdout).toContain("Removed clawdbot-ssh-tunnel.service.");
  expect(existsSync(path)).toBe(false);
});

test.runIf(isSshdThere)(
  "a unit of ours by name that runs ssh -f is explained, and kept as a copy",
  async () => {
    await using host = await createServiceHost();
    const path = await host.writeUnit(UNIT, [
      ...["[Service]", "Type=simple", "ExecStart=/usr/bin/ssh -fN me@box", "Restart=always"],
    ]);
    const installed = await host.install(["-L", `0:127.0.0.1:${host.rig.echo.port}`]);
    expect(installed.stderr).toContain("ssh -f goes to the background");
    expect(installed.stdout).toContain(`The former file: ${path}.bak`);
    expect(existsSync(`${path}.bak`)).toBe(true);
  },
);

test.runIf(isSshdThere)("a tunnel in the foreground is nobody's to restart", async () => {
  await using host = await createServiceHost();
  const forward = ["-L", `0:127.0.0.1:${host.rig.echo.port}`];
  const tunnel = host.open([...forward, "--name", "box"]);
  await tunnel.said("open: ");
  const restart = await host.run(["tunnel", "restart", "box", "--json"]);
  expect(restart.code).toBe(1);
  expect(restart.json()).toMatchObject({
    ok: false,
    error: expect.stringMatching(/foreground/u) as string,
  });
});

test.runIf(isSshdThere)("where nothing is installed and nothing runs, that is said", async () => {
  await using host = await createServiceHost();
  for (const command of ["uninstall", "restart", "stop"]) {
    // oxlint-disable-next-line no-await-in-loop
    const result = await host.run(["tunnel", command, "--json"]);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({ ok: false, action: command });
  }
  expect((await host.run(["tunnel", "list"])).stdout).toContain("No tunnel runs");
  const foreign = await host.install(["--json"], {
    OPENCLAW_STATE_DIR: host.cli.home.file("other"),
  });
  expect(foreign.code).toBe(1);
  expect(foreign.stdout).toContain("services are for the usual places");
});

interface ListedTunnel {
  readonly name: string;
  readonly pid?: number;
}

async function tunnelsOf(host: Awaited<ReturnType<typeof createServiceHost>>) {
  const listed = await host.run(["tunnel", "list", "--json"]);
  return (listed.json() as { tunnels: ListedTunnel[] }).tunnels;
}
