import { once } from "node:events";
import { access, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import {
  freePort,
  hasSshd,
  sshTestRig,
  startEchoServer,
  temporaryDirectory,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { openTunnel } from "../../src/index.ts";
import { dial, readAll } from "../forwards/tcp.ts";
import { engines, localPorts } from "../servers/tunnel-to.ts";
import { echoThrough, keyedHostLines, withConfig } from "./configured.ts";

/** A ProxyCommand that connects its input and output with a port. */
const CARRIER = `${process.execPath} -e "const s=require('net').connect(process.argv[2],process.argv[1]);process.stdin.pipe(s).pipe(process.stdout)" %h %p`;

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === "::1");

describe.skipIf(!hasSshd).each(engines)("what ssh_config says counts over %s", (engine) => {
  test("in an alias with Include, Match host and user, a wildcard and a negation", async () => {
    await using rig = await sshTestRig();
    const { server, identity, knownHosts, home } = rig;
    await mkdir(`${home}/.ssh/conf.d`);
    await writeFile(
      `${home}/.ssh/conf.d/10-boxes.conf`,
      ["Host box-*", `  HostName ${server.host}`, `  UserKnownHostsFile ${knownHosts}`].join("\n"),
    );
    await writeFile(
      `${home}/.ssh/conf.d/20-users.conf`,
      [`Match originalhost box-* user ${server.user}`, `  IdentityFile ${identity}`].join("\n"),
    );
    const lines = [
      `Include ${home}/.ssh/conf.d/*.conf`,
      "Host box-* !box-old",
      `  Port ${server.port}`,
      "Host box-old",
      "  Port 1",
      `Match host ${server.host} user nobody-else`,
      "  IdentityFile /nonexistent/of-nobody-else",
      "Host *",
      `  User ${server.user}`,
      "  IdentitiesOnly yes",
    ];
    const options = await withConfig(rig, lines, { engine });

    await using tunnel = await openTunnel(`${server.user}@box-a.example`, options);

    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    await expect(openTunnel(`${server.user}@box-old`, options)).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
    });
    await expect(openTunnel("nobody-else@box-a.example", options)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:IDENTITY_UNREADABLE|AUTHENTICATION_REFUSED)$/u),
    });
  });

  test("below what an ssh:// URL says, whose path is left to the caller", async () => {
    await using rig = await sshTestRig();
    const lines = [
      ...keyedHostLines("box", rig).filter((line) => !/^ {2}(?:Port|User) /u.test(line)),
      "  Port 1",
      "  User nobody-of-that-name",
    ];
    const options = await withConfig(rig, lines, { engine });
    const { user, port } = rig.server;

    await using tunnel = await openTunnel(`ssh://${user}@box:${port}/${rig.echo.port}`, options);

    expect(tunnel.target).toEqual({ host: "box", user, port, remotePort: rig.echo.port });
    expect(await echoThrough(tunnel, tunnel.target.remotePort ?? 0)).toBe("hello");
  });

  test.skipIf(!hasIpv6)("and an address of IPv6 is as good as any", async () => {
    await using rig = await sshTestRig();
    const { user, port } = rig.server;
    await rig.server.restart({ config: [`ListenAddress [::1]:${port}`] });
    const [, type, key] = rig.server.knownHostsLine.split(" ");
    await writeFile(rig.knownHosts, `[::1]:${port} ${type} ${key}\n`);
    const lines = keyedHostLines("*", rig).filter((line) => !/Host(?:Name)? 1|Port/u.test(line));
    const options = await withConfig(rig, lines, { engine });

    for (const target of [`${user}@[::1]:${port}`, `ssh://${user}@[::1]:${port}`]) {
      // oxlint-disable-next-line no-await-in-loop
      await using tunnel = await openTunnel(target, options);
      expect(tunnel.target).toMatchObject({ host: "::1", port });
      // oxlint-disable-next-line no-await-in-loop
      expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    }
    expect(rig.server.log.join("\n")).toMatch(/Connection from ::1 /u);
  });

  test("about ciphers and key exchanges", async () => {
    await using rig = await sshTestRig({ server: { config: ["LogLevel DEBUG1"] } });
    const lines = [
      ...keyedHostLines("box", rig),
      "  Ciphers aes256-ctr",
      "  KexAlgorithms ecdh-sha2-nistp384",
      "  MACs hmac-sha2-512",
    ];
    const options = await withConfig(rig, lines, { engine });

    await using tunnel = await openTunnel("box", options);

    expect(tunnel.state).toMatchObject({ engine: { cipher: "aes256-ctr" } });
    const log = rig.server.log.join("\n");
    expect(log).toMatch(/kex: algorithm: ecdh-sha2-nistp384/u);
    expect(log).toMatch(/kex: client->server cipher: aes256-ctr MAC: hmac-sha2-512 /u);
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("about ciphers that the server does not have, too", async () => {
    await using rig = await sshTestRig({ server: { config: ["Ciphers aes128-ctr"] } });
    const lines = [...keyedHostLines("box", rig), "  Ciphers aes256-ctr"];
    const options = await withConfig(rig, lines, { engine });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "NO_COMMON_ALGORITHM",
      final: true,
      details: { kind: expect.stringContaining("cipher") },
    });
  });

  test("about the time to connect", async () => {
    await using rig = await sshTestRig();
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    const lines = [
      ...keyedHostLines("box", rig).filter((line) => !line.startsWith("  Port")),
      `  Port ${port}`,
      "  ConnectTimeout 1",
    ];
    const options = await withConfig(rig, lines, { engine });

    const startedAt = performance.now();
    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "TIMED_OUT",
      final: false,
      details: { stage: "handshake" },
    });
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    silent.close();
  });

  test("about signs of life, in what the tunnel's own options leave open", async () => {
    await using rig = await sshTestRig();
    const lines = [
      ...keyedHostLines("box", rig),
      "  ServerAliveInterval 1",
      "  ServerAliveCountMax 2",
    ];
    const options = await withConfig(rig, lines, { engine });
    await using tunnel = await openTunnel("box", options);
    await using patient = await openTunnel("box", { ...options, keepaliveIntervalMs: 60_000 });

    const startedAt = performance.now();
    rig.server.freeze();

    await vi.waitFor(() => expect(tunnel.state.kind).not.toBe("open"), { timeout: 8_000 });
    expect(performance.now() - startedAt).toBeLessThan(2 * 1_000 + 2_000);
    expect(patient.state.kind).toBe("open");
    rig.server.thaw();
    await tunnel.ready();
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("about LocalForward where that is asked for, and only there", async () => {
    await using rig = await sshTestRig();
    await using other = await startEchoServer();
    await using directory = await temporaryDirectory();
    const socketPath = directory.file("local.sock");
    const port = await freePort();
    const lines = [
      ...keyedHostLines("box", rig),
      `  LocalForward ${port} 127.0.0.1:${rig.echo.port}`,
      `  LocalForward ${socketPath} 127.0.0.1:${other.port}`,
    ];
    const options = await withConfig(rig, lines, { engine });

    await using without = await openTunnel("box", options);
    expect(without.forwards).toEqual([]);
    await using tunnel = await openTunnel("box", { ...options, configuredForwards: true });

    expect(localPorts(tunnel)[0]).toBe(port);
    const tcp = await dial({ port });
    const unix = await dial({ path: socketPath });
    tcp.end("by port");
    unix.end("by path");
    expect(await Promise.all([readAll(tcp), readAll(unix)])).toEqual(["by port", "by path"]);
    expect(rig.echo.accepted).toBe(1);
    expect(other.accepted).toBe(1);
  });
});

describe.skipIf(!hasSshd)("a ProxyCommand of the ssh config", () => {
  test("has the system's ssh chosen, with that reason shown", async () => {
    await using rig = await sshTestRig();
    const lines = [
      ...keyedHostLines("box", rig),
      `  ProxyCommand ${CARRIER}`,
      ...keyedHostLines("plain", rig),
    ];
    const options = await withConfig(rig, lines);

    await using tunnel = await openTunnel("box", options);
    await using plain = await openTunnel("plain", options);

    expect(tunnel.state).toMatchObject({
      engine: { name: "system", reason: expect.stringMatching(/^ProxyCommand \(/u) },
    });
    expect(plain.state).toMatchObject({ engine: { name: "ssh2", reason: "the default" } });
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("is refused by name where the engine ssh2 is forced, and runs nothing", async () => {
    await using rig = await sshTestRig();
    const trace = `${rig.home}/ran`;
    const options = await withConfig(
      rig,
      [...keyedHostLines("box", rig), `  ProxyCommand touch ${trace}`],
      { engine: "ssh2" },
    );

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "UNSUPPORTED_SETTING",
      final: true,
      details: { settings: [expect.stringMatching(/^ProxyCommand /u)] },
    });
    await expect(access(trace)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe.skipIf(!hasSshd)("lists of algorithms of which an engine has none", () => {
  test("are refused by name over ssh2", async () => {
    await using rig = await sshTestRig();
    const lines = [
      ...keyedHostLines("box", rig),
      "  MACs umac-64-etm@openssh.com",
      "  Ciphers aes128-ctr",
    ];
    const options = await withConfig(rig, lines, { engine: "ssh2" });

    await expect(openTunnel("box", options)).rejects.toMatchObject({
      code: "UNSUPPORTED_SETTING",
      final: true,
      details: { settings: ["MACs (ssh2 has none of umac-64-etm@openssh.com)"] },
    });
  });

  test("are left to the system's ssh, with that reason shown, where no engine is named", async () => {
    await using rig = await sshTestRig();
    const lines = [
      ...keyedHostLines("box", rig),
      "  MACs umac-64-etm@openssh.com",
      "  Ciphers aes128-ctr",
    ];
    const options = await withConfig(rig, lines);

    await using tunnel = await openTunnel("box", options);

    expect(tunnel.state).toMatchObject({
      engine: { name: "system", reason: expect.stringContaining("MACs") },
    });
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });
});
