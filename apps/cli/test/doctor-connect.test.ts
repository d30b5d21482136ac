import { mkdir, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { networkInterfaces } from "node:os";
import { connect as connectTcp } from "node:net";
import { once } from "node:events";
import { createFaultProxy, fakeTailscale, freePort, startProcess } from "@openclaw/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CONNECT_FAULTS } from "../src/doctor/connect/faults.ts";
import { CONNECT_STEPS } from "../src/doctor/connect/steps.ts";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";
import { diagnose, expectBroken, listening, startTcp } from "./doctor-connect-fixture.ts";

let cli: CliFixture;

beforeEach(async () => {
  cli = await createCli();
});
afterEach(() => cli[Symbol.asyncDispose]());

const withToken = (url: string): string[] => [url, "--token", TOKEN];

async function writeConfig(config: object | string): Promise<void> {
  await mkdir(cli.home.file(".openclaw"), { recursive: true });
  const text = typeof config === "string" ? config : JSON.stringify(config);
  await writeFile(cli.home.file(".openclaw", "openclaw.json"), text);
}

/** What a Gateway of this machine leaves of itself. */
async function writeInstance(port: number, profile = ""): Promise<void> {
  await mkdir(cli.home.file(`.openclaw${profile}`, "gateway"), { recursive: true });
  const instance = { pid: process.pid, port, url: `ws://127.0.0.1:${port}`, version: "0.1.0" };
  await writeFile(
    cli.home.file(`.openclaw${profile}`, "gateway", "instance.json"),
    JSON.stringify({ ...instance, startedAtMs: 1 }),
  );
}

describe("doctor connect", () => {
  test("walks every link to a Gateway that is well", async () => {
    await using gateway = await startGateway();
    const found = await diagnose(cli, gateway.flags);
    expect(found).toMatchObject({ ok: true, code: 0, notes: [] });
    expect(found.steps.map(({ name }) => name)).toEqual(Object.keys(CONNECT_STEPS));
    expect(found.broken).toBeUndefined();
    const shown = await cli.run(["doctor", "connect", ...gateway.flags]);
    expect(shown.code).toBe(0);
    expect(shown.stdout.match(/^✓ /gmu)).toHaveLength(Object.keys(CONNECT_STEPS).length);
    expect(shown.stdout.endsWith("Connected.\n")).toBe(true);
  });

  test("walks to where commands go, without a target", async () => {
    await using gateway = await startGateway();
    await writeConfig({ gateway: { port: gateway.port, auth: { token: TOKEN } } });
    const found = await diagnose(cli, []);
    expect(found).toMatchObject({ ok: true, target: { urlSource: "local loopback" } });
    const byPort = await diagnose(cli, ["--port", String(gateway.port)]);
    expect(byPort.ok).toBe(true);
  });

  test("shows the broken link with its evidence, its code and one fix", async () => {
    const shown = await cli.run(["doctor", "connect", ...withToken("ws://nowhere.invalid.local")]);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain("✗ The name resolves");
    expect(shown.stdout).toMatch(/ {2}Fix: openclaw doctor connect/u);
    expect(shown.stdout).toContain("– The port answers (not reached)");
    expect(shown.stdout.endsWith("Broken: NAME_NOT_RESOLVED\n")).toBe(true);
    expect(shown.stdout).not.toContain(TOKEN);
  });

  test("refuses what cannot be meant", async () => {
    const twice = await cli.run(["doctor", "connect", "me@box", "--url", "ws://127.0.0.1:1"]);
    expect(twice).toMatchObject({ code: 1 });
    expect(twice.stderr).toContain("cannot be combined");
    const noNode = await cli.run(["doctor", "connect", "--command", "system.run", "--json"]);
    expect(noNode.json()).toMatchObject({ error: { kind: "usage" } });
  });

  test("has every code once", () => {
    expect(new Set(CONNECT_FAULTS).size).toBe(CONNECT_FAULTS.length);
  });
});

describe("the target", () => {
  test("fault 35: plaintext to a public host is refused before anything is dialled", async () => {
    const found = await diagnose(cli, withToken("ws://gateway.example:18789"));
    const broken = expectBroken(found, "target", "INSECURE_URL");
    expect(broken.hint).toContain("wss://");
  });

  test("fault 36: remote mode without a URL, and a config that is invalid", async () => {
    await writeConfig({ gateway: { mode: "remote" } });
    const missing = expectBroken(await diagnose(cli, []), "target", "REMOTE_URL_MISSING");
    expect(missing.fix).toContain("openclaw remote set");

    await writeConfig('{ "gateway": { "port": "many" } }');
    const invalid = expectBroken(await diagnose(cli, []), "target", "CONFIG_INVALID");
    expect(JSON.stringify(invalid.evidence)).toContain("gateway.port");
    expect(invalid.fix).toBe("openclaw config validate");

    await using gateway = await startGateway();
    const named = await diagnose(cli, gateway.flags);
    expect(named).toMatchObject({ ok: true, notes: [{ code: "CONFIG_INVALID" }] });
  });

  test("that cannot be read is told as a finding", async () => {
    const found = await diagnose(cli, ["ftp://127.0.0.1", "--token", TOKEN]);
    expectBroken(found, "target", "TARGET_INVALID");
  });
});

describe("name and route", () => {
  test("fault 1: a name without an address", async () => {
    const found = await diagnose(cli, withToken("wss://nowhere.invalid"));
    const broken = expectBroken(found, "name", "NAME_NOT_RESOLVED");
    expect(broken.evidence).toMatchObject({ name: "nowhere.invalid" });
    const tailnet = await diagnose(cli, withToken("wss://box.nowhere-at-all.ts.net"));
    expect(expectBroken(tailnet, "name", "NAME_NOT_RESOLVED").fix).toBe("tailscale up");
  });

  test("fault 2: nothing listens, and the Gateway is on another port of this host", async () => {
    await using gateway = await startGateway();
    await writeInstance(gateway.port);
    const port = await freePort();
    await writeConfig({ gateway: { port } });
    const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
    const broken = expectBroken(await diagnose(cli, [], { env }), "route", "GATEWAY_ON_OTHER_PORT");
    expect(broken.evidence).toMatchObject({ gateway: { pid: process.pid, port: gateway.port } });
    expect(broken.fix).toBe(`openclaw config set gateway.port ${gateway.port}`);
    const named = await diagnose(cli, withToken(`ws://127.0.0.1:${port}`));
    expect(expectBroken(named, "route", "GATEWAY_ON_OTHER_PORT").fix).toBe(
      `openclaw doctor connect --port ${gateway.port}`,
    );
  });

  test("nothing listens, and no Gateway runs at all", async () => {
    const found = await diagnose(cli, withToken(`ws://127.0.0.1:${await freePort()}`));
    const broken = expectBroken(found, "route", "GATEWAY_NOT_RUNNING");
    expect(broken).toMatchObject({
      evidence: { errno: "ECONNREFUSED" },
      fix: "openclaw gateway start",
    });
  });

  test("fault 3: a port that swallows what is sent to it", async () => {
    await using server = await startBlackHole();
    const found = await diagnose(cli, withToken(`ws://127.0.0.1:${server.port}`));
    const broken = expectBroken(found, "route", "NO_ANSWER");
    expect(broken.evidence).toMatchObject({ errno: "ETIMEDOUT" });
  });

  test.skipIf(ownAddress() === undefined)(
    "fault 4: a Gateway on loopback that is asked for by another address of its machine",
    async () => {
      await using gateway = await startGateway();
      const env = { OPENCLAW_ALLOW_INSECURE_PRIVATE_WS: "1" };
      const url = `ws://${ownAddress()}:${gateway.port}`;
      const found = await diagnose(cli, withToken(url), { env });
      const broken = expectBroken(found, "route", "BOUND_TO_LOOPBACK");
      expect(broken.evidence).toMatchObject({ errno: "ECONNREFUSED", loopback: "answers" });
      expect(broken.fix).toContain("config set gateway.bind");
    },
  );

  test("fault 7: a launch agent that goes to the background while launchd keeps it alive", async () => {
    const agents = cli.home.file("Library", "LaunchAgents");
    await mkdir(agents, { recursive: true });
    const path = `${agents}/com.clawdbot.ssh-tunnel.plist`;
    await writeFile(path, TUTORIAL_PLIST);
    const port = await freePort();
    await writeConfig({ gateway: { mode: "remote", remote: { url: `ws://127.0.0.1:${port}` } } });
    const broken = expectBroken(await diagnose(cli, []), "route", "TUNNEL_FORKS_UNDER_SUPERVISION");
    expect(broken.evidence).toMatchObject({
      file: path,
      finding: "tunnel-forks-under-supervision",
      errno: "ECONNREFUSED",
    });
  });

  test("fault 7: a systemd unit for this very port does the same; one for another is left out", async () => {
    const units = cli.home.file(".config", "systemd", "user");
    await mkdir(units, { recursive: true });
    const port = await freePort();
    const unit = (local: number): string =>
      `[Service]\nExecStart=/usr/bin/ssh -f -N -L ${local}:127.0.0.1:18789 me@box\nRestart=always\n`;
    await writeFile(`${units}/my-tunnel.service`, unit(port === 1 ? 2 : port - 1));
    await writeConfig({ gateway: { mode: "remote", remote: { url: `ws://127.0.0.1:${port}` } } });
    expectBroken(await diagnose(cli, []), "route", "TUNNEL_DOWN");
    await writeFile(`${units}/my-tunnel.service`, unit(port));
    expectBroken(await diagnose(cli, []), "route", "TUNNEL_FORKS_UNDER_SUPERVISION");
  });
});

describe("what listens there", () => {
  test("fault 5: a forward without a far end takes connections and drops them", async () => {
    await using proxy = await createFaultProxy({ target: { host: "127.0.0.1", port: 1 } });
    await proxy.accept("reset");
    await writeConfig({
      gateway: { mode: "remote", remote: { url: `ws://127.0.0.1:${proxy.port}`, token: TOKEN } },
    });
    const broken = expectBroken(await diagnose(cli, []), "upgrade", "DEAD_FORWARD");
    expect(broken.evidence).toMatchObject({ bytes: 0 });
    const named = await diagnose(cli, withToken(`ws://127.0.0.1:${proxy.port}`));
    expectBroken(named, "upgrade", "CLOSED_AT_ONCE");
  });

  test("fault 6: another program, which answers HTTP 404 or a banner, with its process", async () => {
    await using http = await listening(
      createHttpServer((_request, response) => response.writeHead(404).end("nothing here")),
    );
    const web = await diagnose(cli, withToken(`ws://127.0.0.1:${http.port}`));
    const broken = expectBroken(web, "upgrade", "NOT_A_GATEWAY");
    expect(broken.evidence).toMatchObject({ httpStatus: 404 });
    expect(JSON.stringify(broken.evidence["holders"])).toContain(`pid ${process.pid}`);

    await using mail = await startTcp((socket) => socket.write("220 mail.example ESMTP\r\n"));
    const banner = await diagnose(cli, withToken(`ws://127.0.0.1:${mail.port}`));
    const other = expectBroken(banner, "upgrade", "NOT_A_GATEWAY");
    expect(other.evidence["firstBytes"]).toContain("220 mail.example");
  });

  test("one that takes the connection and says nothing", async () => {
    await using silent = await startTcp(() => {});
    const found = await diagnose(cli, withToken(`ws://127.0.0.1:${silent.port}`));
    expectBroken(found, "upgrade", "UPGRADE_NO_ANSWER");
  });
});

describe("the MagicDNS name", () => {
  test.skipIf(ownAddress() === undefined)(
    "is not asked for where the address is none of Tailscale's",
    async () => {
      await using tailscale = await fakeTailscale();
      await using gateway = await startGateway();
      const env = { PATH: tailscale.path, OPENCLAW_ALLOW_INSECURE_PRIVATE_WS: "1" };
      const url = `ws://${ownAddress()}:${gateway.port}`;
      expectBroken(await diagnose(cli, withToken(url), { env }), "route", "BOUND_TO_LOOPBACK");
      expect(tailscale.calls()).toEqual([]);
    },
  );
});

/** An address of this machine besides loopback. */
function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((infos) => infos ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;
}

/** A port whose queue is full: the system answers no further connection. */
async function startBlackHole() {
  const script =
    "const s=require('node:net').createServer();" +
    "s.listen({port:0,host:'127.0.0.1',backlog:1},()=>{" +
    "require('node:fs').writeSync(1,`port ${s.address().port}\\n`);" +
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)),0,0)})";
  const child = startProcess(process.execPath, ["-e", script]);
  const [, port] = await child.line(/^port (\d+)/mu);
  const filling = Array.from({ length: 8 }, () => {
    const socket = connectTcp(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    return socket;
  });
  // Two fit into the queue; by then it is full.
  await Promise.all(filling.slice(0, 2).map((socket) => once(socket, "connect")));
  return {
    port: Number(port),
    async [Symbol.asyncDispose]() {
      for (const socket of filling) socket.destroy();
      await child.kill();
    },
  };
}

const TUTORIAL_PLIST = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
  <key>Label</key><string>com.clawdbot.ssh-tunnel</string>
  <key>ProgramArguments</key>
  <array><string>/usr/bin/ssh</string><string>-N</string><string>-f</string><string>clawdbot-remote</string></array>
  <key>KeepAlive</key><true/>
  <key>RunAtLoad</key><true/>
</dict></plist>
`;
