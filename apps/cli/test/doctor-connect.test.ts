import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { networkInterfaces } from "node:os";
import { connect as connectTcp } from "node:net";
import { once } from "node:events";
import { createFaultProxy, fakeTailscale, freePort, startProcess } from "@openclaw/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBudget } from "../src/doctor/connect/budget.ts";
import { networkCarrier } from "../src/doctor/connect/carrier.ts";
import { explainRefused } from "../src/doctor/connect/explain-refused.ts";
import { CONNECT_FAULTS, NOTES } from "../src/doctor/connect/faults.ts";
import type { Interfaces } from "../src/doctor/connect/local-facts.ts";
import { CONNECT_STEPS } from "../src/doctor/connect/steps.ts";
import type { Trail } from "../src/doctor/connect/trail.ts";
import type { StepFailure } from "../src/remote/walk.ts";
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
    expect(named).toMatchObject({ ok: true, notes: [{ code: "OTHER_CONFIG_INVALID" }] });
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

  test.each([
    ["the greeting of SSH", "SSH-2.0-Other\r\n", "NOT_A_GATEWAY"],
    ["bytes that are nothing", "\u0000\u00ff\u0001", "NOT_A_GATEWAY"],
    [
      "an alert of TLS, and nothing behind it",
      "\u0015\u0003\u0001\u0000\u0002\u0002\u0046",
      "NOT_A_GATEWAY",
    ],
    ["a 101 that proves nothing", "HTTP/1.1 101 Hm\r\nUpgrade: websocket\r\n\r\n", "NOT_A_GATEWAY"],
    ["headers without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`, "NOT_A_GATEWAY"],
    ["half of a status line", "HTTP/1.1 2", "UPGRADE_NO_ANSWER"],
    [
      "a page whose body never comes",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
      "NOT_A_GATEWAY",
    ],
    ["a page without end", `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(100_000)}`, "NOT_A_GATEWAY"],
    ["a code that is none", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", "NOT_A_GATEWAY"],
    [
      "an error that only looks like a Gateway's",
      'HTTP/1.1 418 Tea\r\nContent-Length: 36\r\n\r\n{"error":{"type":["x"],"message":{}}}',
      "NOT_A_GATEWAY",
    ],
  ])("%s is what it is", async (_, answer, code) => {
    await using server = await startTcp((socket) =>
      socket.once("data", () => socket.write(Buffer.from(answer, "latin1"))),
    );
    const found = await diagnose(cli, withToken(`ws://127.0.0.1:${server.port}`));
    expectBroken(found, "upgrade", code);
    // No escape sequence of somebody else reaches a terminal.
    expect(found.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/u);
  });

  test("one that takes the connection and says nothing", async () => {
    await using silent = await startTcp(() => {});
    const found = await diagnose(cli, withToken(`ws://127.0.0.1:${silent.port}`));
    expectBroken(found, "upgrade", "UPGRADE_NO_ANSWER");
  });
});

describe("fault 4: an address of the tailnet", () => {
  const address = "100.101.102.103";
  const tailnet: Interfaces = {
    tailscale0: [
      {
        address,
        netmask: "255.255.255.255",
        family: "IPv4",
        mac: "00:00:00:00:00:00",
        internal: false,
        cidr: `${address}/32`,
      },
    ],
  };

  /** What is said of a port that refuses, on a machine with an address that the test's has not. */
  async function explain(
    port: number,
    env: Record<string, string>,
    interfaces: Interfaces,
    totalMs = 5_000,
  ) {
    const context = { env, commandLine: (words: string) => `openclaw ${words}` };
    const gateway = { target: { url: `ws://${address}:${port}`, kind: "url-flag", urlSource: "" } };
    const interruption = { signal: new AbortController().signal };
    const budget = createBudget(totalMs);
    // Nothing else of a walk is asked for.
    const trail = { context, gateway, interruption, budget } as unknown as Trail;
    const carrier = networkCarrier(address, port);
    const refused = { carrier, addresses: [address], cause: undefined, interfaces };
    return (await explainRefused(trail, refused)) as StepFailure;
  }

  test("of this machine: bind to it, or go by the MagicDNS name that Serve answers to", async () => {
    await using tailscale = await fakeTailscale();
    await using gateway = await startGateway();
    const failure = await explain(gateway.port, tailscale.env, tailnet, 100_000);
    expect(failure).toMatchObject({
      code: "BOUND_TO_LOOPBACK",
      evidence: { address, loopback: "answers", dnsName: tailscale.host },
      fix: "openclaw config set gateway.bind tailnet",
    });
    expect(failure.hint).toContain(`wss://${tailscale.host}`);
  });

  test("of this machine, while Tailscale hangs, is told in time", async () => {
    await using tailscale = await fakeTailscale();
    tailscale.fail({ on: "*", kind: "hang" });
    await using gateway = await startGateway();
    const startedAt = performance.now();
    const failure = await explain(gateway.port, tailscale.env, tailnet);
    expect(failure.code).toBe("BOUND_TO_LOOPBACK");
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test("of another machine: what listens there is told to be looked at", async () => {
    const failure = await explain(await freePort(), {}, {});
    expect(failure).toMatchObject({
      code: "CONNECTION_REFUSED",
      fix: "openclaw config set gateway.bind tailnet",
    });
    expect(failure.hint).toContain("MagicDNS");
  });
});

describe("the time", () => {
  test("is what --timeout says, for everything together", async () => {
    await using silent = await startTcp(() => {});
    const url = `ws://127.0.0.1:${silent.port}`;
    const found = await diagnose(cli, [...withToken(url), "--timeout", "1"]);
    // Not even the target is known by then, or the first question asked.
    expect(found.broken?.code).toMatch(/^(OUT_OF_TIME|NO_ANSWER|UPGRADE_NO_ANSWER)$/u);
    expect(found.broken?.fix).not.toBe("");
  });

  test("is dealt out so that something is left to explain what took all of it", () => {
    let nowMs = 0;
    const budget = createBudget(5_000, () => nowMs);
    expect(budget.step(1_500)).toBe(1_500);
    nowMs = 3_900;
    expect(budget.step(1_500)).toBe(100);
    expect(budget.explain(1_500)).toBe(800);
    nowMs = 6_000;
    expect([budget.step(1), budget.explain(1_500)]).toEqual([1, 1]);
    expect(createBudget(10_000, () => 0).step(1_500)).toBe(3_000);
  });

  test("ends at once with Ctrl-C, as a shell reports it", async () => {
    await using silent = await startTcp(() => {});
    const args = withToken(`ws://127.0.0.1:${silent.port}`);
    const running = cli.run(["doctor", "connect", ...args, "--timeout", "600000"]);
    await expect.poll(() => cli.live.stdout).toContain("✓ The port answers");
    cli.signal();
    const { code, stdout } = await running;
    expect(code).toBe(130);
    expect(stdout).not.toContain("Broken:");
  });
});

describe("the page", () => {
  test("has a row for every code, and none for another", async () => {
    const page = await readFile(
      new URL("../../../docs/doctor-connect.md", import.meta.url),
      "utf8",
    );
    const listed = [...page.matchAll(/^\| `([A-Z_]+)`/gmu)].map(([, code]) => code);
    expect(new Set(listed)).toEqual(new Set([...CONNECT_FAULTS, ...NOTES]));
    expect(listed).toHaveLength(CONNECT_FAULTS.length + NOTES.length);
  });
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
