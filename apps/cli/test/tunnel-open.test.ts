import { existsSync, readdirSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import {
  freePort,
  generateSshKey,
  hasAsyncssh,
  startMisbehavingSshServer,
  startProcess,
} from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { createTunnelHost, echoThrough, isSshdThere } from "./tunnel-fixture.ts";

test.runIf(isSshdThere)(
  "a forward listens, carries bytes, and is gone with exit code 0 at Ctrl-C",
  async () => {
    await using host = await createTunnelHost();
    const local = await freePort();
    const tunnel = host.open(["-L", `${local}:127.0.0.1:${host.rig.echo.port}`]);
    await tunnel.said(/open: ssh2 \S+, (?:native cryptography|cryptography in JavaScript)/u);
    expect(tunnel.out.stdout).toBe(`127.0.0.1:${local} -> 127.0.0.1:${host.rig.echo.port}\n`);
    expect(tunnel.out.stderr).toContain(`connecting to ${host.rig.target}`);
    expect(await echoThrough(local, "through")).toBe("through");

    const before = performance.now();
    expect(await tunnel.stop("SIGINT")).toBe(0);
    expect(performance.now() - before).toBeLessThan(1_500);
    await expect(echoThrough(local, "late")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await vi.waitFor(() => expect(host.rig.server.connections()).toEqual([]));
    expect(readdirSync(host.cli.home.file(".openclaw", "tunnels"))).toEqual([]);
  },
);

test.runIf(isSshdThere)(
  "the record is private and follows the state; status and list show it",
  async () => {
    await using host = await createTunnelHost();
    const tunnel = host.open(["-L", `0:127.0.0.1:${host.rig.echo.port}`, "--name", "box"]);
    await tunnel.said("open: ");
    const port = await tunnel.port();
    expect(statSync(host.record("box")).mode & 0o777).toBe(0o600);
    expect(statSync(host.cli.home.file(".openclaw", "tunnels")).mode & 0o777).toBe(0o700);

    const status = await host.run(["tunnel", "status", "box", "--json"]);
    expect(status.code).toBe(0);
    const remote = { host: "127.0.0.1", port: host.rig.echo.port };
    expect(status.json()).toEqual({
      tunnels: [
        {
          name: "box",
          target: host.rig.target,
          running: true,
          pid: process.pid,
          isService: false,
          state: "open",
          since: expect.any(Number) as number,
          generation: 1,
          engine: expect.objectContaining({
            name: "ssh2",
            version: expect.stringMatching(/^\d/u) as string,
            reason: expect.any(String) as string,
            cryptography: expect.stringMatching(/^(?:native|javascript)$/u) as string,
          }) as object,
          forwards: [
            {
              ...{ local: { host: "127.0.0.1", port }, remote },
              ...{ connections: 0, waiting: 0, bytesIn: 0, bytesOut: 0 },
            },
          ],
          service: null,
        },
      ],
      removed: [],
    });

    const text = await host.run(["tunnel", "status"]);
    expect(text.stdout).toMatch(/State: +open for /u);
    expect(text.stdout).toMatch(/Engine: +ssh2 [\d.]+ \(.+\)\n/u);
    expect(text.stdout).toMatch(/native cryptography|cryptography in JavaScript over node:crypto/u);
    expect(text.stdout).toMatch(/Service: +not installed/u);
    const list = await host.run(["tunnel", "list"]);
    expect(list.stdout).toContain(`127.0.0.1:${port} -> 127.0.0.1:${host.rig.echo.port}`);
    expect((await host.run(["tunnel", "list", "--json"])).json()).toEqual(status.json());

    const unknown = await host.run(["tunnel", "status", "bax", "--json"]);
    expect(unknown.code).toBe(1);
    expect(unknown.json()).toMatchObject({ error: { kind: "not_found" } });
  },
);

test.runIf(isSshdThere)(
  "a lost connection is told with its cause and comes back on the same port",
  async () => {
    await using host = await createTunnelHost();
    const tunnel = host.open(["-L", `0:127.0.0.1:${host.rig.echo.port}`, "--name", "box"]);
    await tunnel.said("open: ");
    const port = await tunnel.port();
    await echoThrough(port, "counted");
    await host.rig.server.stop();
    await tunnel.said(/\. Next attempt in \d+/u);
    const away = (await host.run(["tunnel", "status", "--json"])).json();
    const forwards = [{ bytesIn: 7, bytesOut: 7, connections: 0 }];
    expect(away).toMatchObject({ tunnels: [{ name: "box", cause: { final: false }, forwards }] });

    await host.rig.server.restart();
    await tunnel.said("open again: ");
    expect(await echoThrough(port, "once more")).toBe("once more");
    const back = (await host.run(["tunnel", "status", "--json"])).json();
    expect(back).toMatchObject({ tunnels: [{ state: "open", forwards: [{ local: { port } }] }] });
    expect(JSON.stringify(back)).not.toContain('"cause"');
  },
);

test.runIf(isSshdThere)("a host that is away at first is tried until it is there", async () => {
  await using host = await createTunnelHost();
  await host.rig.server.stop();
  const tunnel = host.open(["-L", `0:127.0.0.1:${host.rig.echo.port}`]);
  await tunnel.said(/nothing listens on .*\. Next attempt in \d+/u);
  expect(tunnel.out.stdout).toContain(" -> ");
  await host.rig.server.restart();
  await tunnel.said("open: ");
  expect(await echoThrough(await tunnel.port(), "at last")).toBe("at last");
});

test.runIf(isSshdThere)(
  "the system's ssh carries it on request, and the status says so",
  async () => {
    await using host = await createTunnelHost();
    const forward = ["-L", `0:127.0.0.1:${host.rig.echo.port}`];
    const tunnel = host.open([...forward, "--engine", "system", "--name", "box"]);
    await tunnel.said("open: the system's ssh");
    expect(await echoThrough(await tunnel.port(), "by ssh")).toBe("by ssh");
    const status = await host.run(["tunnel", "status", "box", "--json"]);
    const { tunnels } = status.json() as { tunnels: { engine: Record<string, unknown> }[] };
    expect(tunnels[0]?.engine).toMatchObject({ name: "system", cryptography: "openssh" });
    const pid = Number(tunnels[0]?.engine["pid"]);
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(await tunnel.stop()).toBe(0);
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"));
  },
);

test.runIf(isSshdThere && hasAsyncssh)(
  "Ctrl-C while the server says nothing ends it at once, with 0",
  async () => {
    await using host = await createTunnelHost();
    await using server = await startMisbehavingSshServer("stall-before-banner");
    const [, ...files] = host.flags;
    const tunnel = host.openAs([
      `${server.user}@127.0.0.1:${server.port}`,
      ...files,
      "-L",
      "0:127.0.0.1:1",
    ]);
    await server.event("connection");
    const before = performance.now();
    expect(await tunnel.stop("SIGINT")).toBe(0);
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(readdirSync(host.cli.home.file(".openclaw", "tunnels"))).toEqual([]);
  },
);

test.runIf(isSshdThere)(
  "with --json stdout has one document, printed when the tunnel is open",
  async () => {
    await using host = await createTunnelHost();
    const tunnel = host.open(["-L", `0:127.0.0.1:${host.rig.echo.port}`, "--json"]);
    const port = await tunnel.port();
    expect(JSON.parse(tunnel.out.stdout)).toMatchObject({
      ok: true,
      name: "127-0-0-1",
      target: host.rig.target,
      pid: process.pid,
      state: "open",
      engine: { name: "ssh2" },
      forwards: [{ local: { host: "127.0.0.1", port } }],
    });
    expect(await tunnel.stop("SIGTERM")).toBe(0);
    expect(JSON.parse(tunnel.out.stdout)).toMatchObject({ ok: true });
  },
);

test.runIf(isSshdThere)(
  "what another attempt cannot cure ends it with 78 and says what to do",
  async () => {
    await using host = await createTunnelHost();
    const { rig } = host;
    const args = (identity: string, knownHosts: string) => [
      ...["tunnel", "open", rig.target, "--ssh-config", "none", "-L", "0:127.0.0.1:1"],
      ...["--identity", identity, "--known-hosts", knownHosts],
    ];
    const noHosts = host.cli.home.file("known_hosts");
    const unknown = await host.run([...args(rig.identity, noHosts), "--json"]);
    expect(unknown.code).toBe(78);
    expect(unknown.json()).toMatchObject({
      ok: false,
      error: { type: "tunnel_error", code: "HOST_KEY_UNKNOWN", final: true },
      tunnel: { target: rig.target },
    });
    expect(unknown.stdout).toContain("--accept-new");

    const stranger = await generateSshKey({ directory: host.cli.home.path, name: "stranger" });
    const refused = await host.run(args(stranger.privateKeyPath, rig.knownHosts));
    expect(refused.code).toBe(78);
    expect(refused.stderr).toMatch(/^Error: /mu);

    const missing = await host.run([...args(host.cli.home.file("nope"), rig.knownHosts), "--json"]);
    expect(missing.code).toBe(78);
    expect(missing.json()).toMatchObject({ error: { code: "IDENTITY_UNREADABLE" } });
    expect(readdirSync(host.cli.home.file(".openclaw", "tunnels"))).toEqual([]);
  },
);

test.runIf(isSshdThere)(
  "an unknown host key is recorded on request, and its fingerprint is shown",
  async () => {
    await using host = await createTunnelHost();
    const knownHosts = host.cli.home.file("known_hosts");
    const forward = ["-L", `0:127.0.0.1:${host.rig.echo.port}`];
    const tunnel = host.open([...forward, "--known-hosts", knownHosts, "--accept-new"]);
    await tunnel.said(/New SSH host key accepted: \[127\.0\.0\.1\]:\d+ ssh-ed25519 SHA256:/u);
    await tunnel.said("open: ");
    expect(await readFile(knownHosts, "utf8")).toContain("ssh-ed25519");
  },
);

test.runIf(isSshdThere)("a busy port is told with its holder, or replaced on request", async () => {
  await using host = await createTunnelHost();
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => void server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const forward = ["-L", `${port}:127.0.0.1:${host.rig.echo.port}`];

  const busy = await host.run(["tunnel", "open", ...host.flags, ...forward, "--json"]);
  // The holder may go away: a supervisor is welcome to try again.
  expect(busy.code).toBe(1);
  expect(busy.json()).toMatchObject({
    error: { code: "LOCAL_PORT_BUSY", details: { holder: { pid: process.pid } } },
  });
  expect(busy.stdout).toContain(`(pid ${process.pid})`);

  const tunnel = host.open([...forward, "--fallback-port"]);
  await tunnel.said("open: ");
  expect(tunnel.out.stdout).toContain(`(instead of ${port}, which is taken)`);
  expect(await echoThrough(await tunnel.port(), "elsewhere")).toBe("elsewhere");
  await new Promise((resolve) => void server.close(resolve));
});

test.runIf(isSshdThere)("a port that a tunnel of ours holds leads to that tunnel", async () => {
  await using host = await createTunnelHost();
  const first = host.open(["-L", `0:127.0.0.1:${host.rig.echo.port}`, "--name", "first"]);
  await first.said("open: ");
  const forward = ["-L", `${await first.port()}:127.0.0.1:1`];
  const second = await host.run(["tunnel", "open", ...host.flags, ...forward]);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("It is the tunnel first, to ");
  expect(second.stderr).toContain("openclaw tunnel status first");
});

test.runIf(isSshdThere)(
  "names tell tunnels apart: one that was asked for is refused, others get a number",
  async () => {
    await using host = await createTunnelHost();
    const forward = ["-L", `0:127.0.0.1:${host.rig.echo.port}`];
    const first = host.open([...forward, "--name", "box"]);
    await first.said("open: ");
    const same = await host.run(["tunnel", "open", ...host.flags, ...forward, "--name", "box"]);
    expect(same.code).toBe(1);
    expect(same.stderr).toContain(`it runs already, to ${host.rig.target} (pid ${process.pid})`);

    const [second, third] = [host.open(forward), host.open(forward)];
    await Promise.all([second.said("open: "), third.said("open: ")]);
    const { tunnels } = (await host.run(["tunnel", "list", "--json"])).json() as {
      tunnels: { name: string }[];
    };
    expect(tunnels.map(({ name }) => name)).toEqual(["127-0-0-1", "127-0-0-1-2", "box"]);
  },
);

test.runIf(isSshdThere)(
  "LocalForward of the ssh config counts where -L is absent, and the Gateway's port else",
  async () => {
    await using host = await createTunnelHost();
    const { rig } = host;
    const [local, gateway] = [await freePort(), await freePort()];
    const config = host.cli.home.file("ssh_config");
    const alias = [
      ...["Host box", "  HostName 127.0.0.1", `  Port ${rig.server.port}`],
      `  User ${rig.server.user}`,
    ];
    const forwards = `  LocalForward ${local} 127.0.0.1:${rig.echo.port}`;
    await writeFile(config, `${[...alias, forwards].join("\n")}\n`);
    const files = ["--identity", rig.identity, "--known-hosts", rig.knownHosts, "-F", config];
    const first = host.openAs(["box", ...files]);
    await first.said("open: ");
    expect(first.out.stdout).toBe(`127.0.0.1:${local} -> 127.0.0.1:${rig.echo.port}\n`);
    expect(await echoThrough(local, "as configured")).toBe("as configured");
    expect(await first.stop()).toBe(0);

    await writeFile(config, `${alias.join("\n")}\n`);
    const env = { OPENCLAW_GATEWAY_PORT: String(gateway) };
    const second = host.openAs(["box", ...files], env);
    await second.said("open: ");
    expect(second.out.stdout).toBe(`127.0.0.1:${gateway} -> 127.0.0.1:${gateway}\n`);
  },
);

test.runIf(isSshdThere)(
  "without a target it goes where the config says the Gateway is",
  async () => {
    await using host = await createTunnelHost();
    const { rig, cli } = host;
    const files = ["--known-hosts", rig.knownHosts, "--ssh-config", "none"];
    const bare = await host.run(["tunnel", "open", ...files]);
    expect(bare.code).toBe(1);
    expect(bare.stderr).toContain("a target is needed");

    const remote = { sshTarget: rig.target, sshIdentity: rig.identity, remotePort: rig.echo.port };
    const config = { gateway: { mode: "remote", remote: { transport: "ssh", ...remote } } };
    await writeFile(cli.home.file("config.json"), JSON.stringify(config));
    const env = { OPENCLAW_CONFIG_PATH: cli.home.file("config.json") };
    const tunnel = host.openAs([...files, "--fallback-port"], env);
    await tunnel.said("open: ");
    expect(await echoThrough(await tunnel.port(), "by config")).toBe("by config");
  },
);

test("what is malformed is refused before anything is dialled", async () => {
  await using host = await createTunnelHost();
  for (const [args, says] of [
    [["-oProxyCommand=touch"], /unknown option|target/u],
    [["me@box", "-L", "nonsense"], /the forward "nonsense"/u],
    [["me@box", "-L", "*:80:box:80"], /every address of this machine/u],
    [["me@box", "--name", "../up"], /is no name of a tunnel/u],
    [["me@box", "--engine", "plink"], /--engine must be one of ssh2, system/u],
    [["me@box", "--host-key", "MD5:00"], /fingerprint/u],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop
    const result = await host.run(["tunnel", "open", ...args]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(says);
  }
  expect(existsSync(host.cli.home.file(".openclaw", "tunnels", "box.json"))).toBe(false);
});

test.runIf(isSshdThere)(
  "a killed process leaves a dead record, which status and the next open clean up",
  async () => {
    await using host = await createTunnelHost();
    const { rig, cli, flags } = host;
    const local = await freePort();
    const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
    const words = ["tunnel", "open", ...flags, "-L", `${local}:127.0.0.1:${rig.echo.port}`];
    const start = () =>
      startProcess(
        process.execPath,
        ["--conditions=@openclaw/source", main, ...words, "--name", "box"],
        { env: { HOME: cli.home.path } },
      );
    {
      await using killed = start();
      await killed.line("open: ", { deadlineMs: 20_000 });
      expect(await echoThrough(local, "before")).toBe("before");
      killed.signal("SIGKILL");
      await killed.exited;
    }
    expect(existsSync(host.record("box"))).toBe(true);
    const status = await host.run(["tunnel", "status", "--json"]);
    expect(status.json()).toEqual({ tunnels: [], removed: ["box"] });
    expect(readdirSync(cli.home.file(".openclaw", "tunnels"))).toEqual([]);

    {
      await using killed = start();
      await killed.line("open: ", { deadlineMs: 20_000 });
      killed.signal("SIGKILL");
      await killed.exited;
    }
    expect(existsSync(host.record("box"))).toBe(true);
    await using next = start();
    await next.line("open: ", { deadlineMs: 20_000 });
    expect(await echoThrough(local, "after")).toBe("after");
    const running = await host.run(["tunnel", "status", "--json"]);
    expect(running.json()).toMatchObject({
      tunnels: [{ name: "box", pid: next.pid }],
      removed: [],
    });
    next.signal("SIGTERM");
    expect(await next.exited).toEqual({ code: 0, signal: null });
    expect(readdirSync(cli.home.file(".openclaw", "tunnels"))).toEqual([]);
    await vi.waitFor(() => expect(rig.server.connections()).toEqual([]));
  },
);
