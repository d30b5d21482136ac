import { mkdir, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createGateway } from "@openclaw/gateway-core";
import { createFakeNode, createRawPeer } from "@openclaw/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";
import {
  CHALLENGE,
  diagnose,
  expectBroken,
  expectConnected,
  listening,
  PASSWORD,
  startWebSocket,
  WRONG_TOKEN,
} from "./doctor-connect-fixture.ts";

let cli: CliFixture;

beforeEach(async () => {
  cli = await createCli();
});
afterEach(() => cli[Symbol.asyncDispose]());

async function writeConfig(gateway: object): Promise<void> {
  await mkdir(cli.home.file(".openclaw"), { recursive: true });
  await writeFile(cli.home.file(".openclaw", "openclaw.json"), JSON.stringify({ gateway }));
}

describe("authentication", () => {
  test("fault 37: a URL that is typed without a credential, and nothing is sent there", async () => {
    const seen: unknown[] = [];
    await using server = await startWebSocket(
      (socket) => socket.send(CHALLENGE),
      (request) => seen.push(request),
    );
    await writeConfig({ auth: { token: TOKEN }, remote: { token: TOKEN } });
    const url = `ws://127.0.0.1:${server.port}`;
    const found = await diagnose(cli, ["--url", url], { env: { OPENCLAW_GATEWAY_TOKEN: TOKEN } });
    const broken = expectBroken(found, "authentication", "CREDENTIALS_REQUIRED");
    expect(broken.fix).toBe(`openclaw doctor connect ${url} --token <token>`);
    expect(seen).toEqual([]);
  });

  test("fault 25: no token is known, with the places that were looked at", async () => {
    await using gateway = await startGateway();
    await writeConfig({ port: gateway.port });
    const broken = expectBroken(await diagnose(cli, []), "authentication", "TOKEN_MISSING");
    expect(JSON.stringify(broken.evidence["lookedAt"])).toContain("OPENCLAW_GATEWAY_TOKEN");
    expect(broken.fix).toBe("export OPENCLAW_GATEWAY_TOKEN=<token>");
  });

  test("a Gateway with a password says that it wants one", async () => {
    await using gateway = await startGateway({ auth: { mode: "password", password: PASSWORD } });
    await writeConfig({ port: gateway.port });
    expectBroken(await diagnose(cli, []), "authentication", "PASSWORD_MISSING");
    const wrong = ["--url", gateway.url, "--password", WRONG_TOKEN];
    expectBroken(await diagnose(cli, wrong), "authentication", "PASSWORD_MISMATCH");
  });

  test.each([
    ["--token", { url: true }, /^openclaw doctor connect ws:.* --token <token>$/u],
    ["OPENCLAW_GATEWAY_TOKEN", { env: true }, /^unset OPENCLAW_GATEWAY_TOKEN$/u],
    ["gateway.auth.token", { auth: true }, /^openclaw gateway restart$/u],
    ["gateway.remote.token", { remote: true }, /^openclaw remote set ws:.* --token-file <path>$/u],
  ])("fault 26: a wrong token of %s, with what to do about it there", async (source, from, fix) => {
    await using gateway = await startGateway();
    const { url, env, auth, remote } = {
      url: false,
      env: false,
      auth: false,
      remote: false,
      ...from,
    };
    await writeConfig(
      remote
        ? { mode: "remote", remote: { url: gateway.url, token: WRONG_TOKEN } }
        : { port: gateway.port, ...(auth ? { auth: { token: WRONG_TOKEN } } : {}) },
    );
    const args = url ? ["--url", gateway.url, "--token", WRONG_TOKEN] : [];
    const found = await diagnose(
      cli,
      args,
      env ? { env: { OPENCLAW_GATEWAY_TOKEN: WRONG_TOKEN } } : {},
    );
    const broken = expectBroken(found, "authentication", "TOKEN_MISMATCH");
    expect(broken.evidence).toMatchObject({ detailCode: "AUTH_TOKEN_MISMATCH", source });
    expect(broken.fix).toMatch(fix);
  });

  test("fault 27: a password for a Gateway that wants a token, and the other way round", async () => {
    await using gateway = await startGateway();
    const found = await diagnose(cli, ["--url", gateway.url, "--password", PASSWORD]);
    const broken = expectBroken(found, "authentication", "AUTH_MODE_MISMATCH");
    expect(broken.evidence).toMatchObject({ gatewayMode: "token", given: "password" });

    await using other = await startGateway({ auth: { mode: "password", password: PASSWORD } });
    const token = await diagnose(cli, ["--url", other.url, "--token", WRONG_TOKEN]);
    expect(expectBroken(token, "authentication", "AUTH_MODE_MISMATCH").evidence).toMatchObject({
      gatewayMode: "password",
      given: "token",
    });
  });

  test("fault 28: too many guesses, with the time to wait", async () => {
    await using gateway = await startGateway();
    const args = ["--url", gateway.url, "--token", WRONG_TOKEN];
    let found = await diagnose(cli, args);
    // The wait grows with each guess, until the next one comes too early.
    for (let guess = 0; guess < 12 && found.broken?.code === "TOKEN_MISMATCH"; guess += 1) {
      // oxlint-disable-next-line no-await-in-loop
      found = await diagnose(cli, args);
    }
    const broken = expectBroken(found, "authentication", "RATE_LIMITED");
    expect(broken.evidence["retryAfterMs"]).toBeGreaterThan(0);
  });

  test("fault 24: a Gateway that speaks no version of ours", async () => {
    await using server = await startWebSocket(
      (socket) => socket.send(CHALLENGE),
      ({ id }, socket) => {
        const details = { code: "PROTOCOL_MISMATCH", expectedProtocol: 9 };
        const error = { code: "INVALID_REQUEST", message: "protocol mismatch", details };
        socket.send({ type: "res", id, ok: false, error });
        socket.close(1002, "protocol mismatch");
      },
    );
    const url = `ws://127.0.0.1:${server.port}`;
    const found = await diagnose(cli, ["--url", url, "--token", TOKEN]);
    const broken = expectBroken(found, "authentication", "PROTOCOL_MISMATCH");
    expect(broken.evidence).toMatchObject({ here: "3 and 4", expectedProtocol: 9 });
  });

  test.each([
    ["refuses", { code: "AUTH_UNAUTHORIZED" }, "AUTH_REFUSED"],
    ["wants pairing", { code: "PAIRING_REQUIRED", reason: "not-paired" }, "NOT_PAIRED"],
    ["speaks another version", { code: "PROTOCOL_MISMATCH" }, "PROTOCOL_MISMATCH"],
  ])(
    "a Gateway that %s and sends the token back does not get it printed",
    async (_, kind, code) => {
      await using server = await startWebSocket(
        (socket) => socket.send(CHALLENGE),
        ({ id, params }, socket) => {
          const back = JSON.stringify(params["auth"]);
          const details = {
            authReason: back,
            requestId: back,
            deviceId: { nested: [TOKEN] },
            expectedProtocol: TOKEN,
            ...kind,
          };
          const error = { code: "INVALID_REQUEST", message: `unauthorized: ${back}`, details };
          socket.send({ type: "res", id, ok: false, error });
          socket.close(1008, TOKEN);
        },
      );
      const args = ["--url", `ws://127.0.0.1:${server.port}`, "--token", TOKEN];
      const found = await diagnose(cli, args);
      expect(found.broken?.code).toBe(code);
      expect(found.text).toContain("…");
      const shown = await cli.run(["doctor", "connect", ...args]);
      expect(shown.stdout + shown.stderr).not.toContain(TOKEN);
    },
  );

  test("nor does one that lets in, and calls its node by the token", async () => {
    await using server = await startWebSocket(
      (socket) => socket.send(CHALLENGE),
      ({ id, params }, socket) => {
        const isConnect = params["auth"] !== undefined;
        const nodes = [
          { nodeId: TOKEN, displayName: TOKEN, lastConnectedAtMs: 1e300 },
          { nodeId: 7 },
        ];
        const auth = { role: "operator", scopes: ["operator.read"] };
        const hello = {
          type: "hello-ok",
          protocol: 4,
          auth,
          features: { methods: [], events: [] },
        };
        socket.send({ type: "res", id, ok: true, payload: isConnect ? hello : { nodes } });
      },
    );
    const url = `ws://127.0.0.1:${server.port}`;
    const args = ["--url", url, "--token", TOKEN, "--node"];
    const broken = expectBroken(await diagnose(cli, [...args, TOKEN]), "node", "NODE_OFFLINE");
    expect(broken.evidence).toEqual({ nodeId: "…", lastSeen: "unknown" });
    expectBroken(await diagnose(cli, [...args, "other"]), "node", "NODE_UNKNOWN");
  });

  test("a Gateway that greets and then hangs", async () => {
    await using server = await startWebSocket((socket) => socket.send(CHALLENGE));
    const args = ["--url", `ws://127.0.0.1:${server.port}`, "--token", TOKEN];
    expectBroken(await diagnose(cli, args), "authentication", "HANDSHAKE_NO_ANSWER");
  });
});

describe("fault 38: a Gateway that takes no connection now", () => {
  test("because it is stopping, on a server that is not its own", async () => {
    const gateway = createGateway({ auth: { mode: "token", token: TOKEN } });
    const http = createHttpServer((request, response) => {
      if (!gateway.handleRequest(request, response)) response.writeHead(503).end();
    });
    gateway.attach(http);
    await using server = await listening(http);
    const url = `ws://127.0.0.1:${server.port}`;
    expect((await diagnose(cli, [url, "--token", TOKEN])).ok).toBe(true);
    await gateway.close();
    const found = await diagnose(cli, [url, "--token", TOKEN]);
    const broken = expectBroken(found, "upgrade", "GATEWAY_DRAINING");
    expect(broken.evidence).toMatchObject({ httpStatus: 503, failing: ["draining"] });
  });

  test("because it is stopping, and its process is still there", async () => {
    const gateway = await startGateway();
    await gateway[Symbol.asyncDispose]();
    const { port, url } = gateway;
    await mkdir(cli.home.file(".openclaw", "gateway"), { recursive: true });
    const instance = { pid: process.pid, port, url, version: "0.1.0", startedAtMs: 1 };
    const path = cli.home.file(".openclaw", "gateway", "instance.json");
    await writeFile(path, JSON.stringify(instance));
    const broken = expectBroken(await diagnose(cli, gateway.flags), "route", "GATEWAY_DRAINING");
    expect(broken.evidence).toMatchObject({ gateway: { pid: process.pid, port } });
  });

  test("because too many handshakes are under way", async () => {
    await using gateway = await startGateway({ limits: { maxPreauthConnectionsPerIp: 1 } });
    await using idle = await createRawPeer(gateway.url);
    await idle.challenge();
    const broken = expectBroken(await diagnose(cli, gateway.flags), "upgrade", "GATEWAY_BUSY");
    expect(broken.evidence).toMatchObject({ httpStatus: 503, type: "unavailable" });
  });
});

describe("pairing and scope", () => {
  const local = { autoApproveLocal: false };

  test("fault 29: a device that is not paired, with its request and what approves it", async () => {
    await using gateway = await startGateway({
      auth: { mode: "none" },
      nodes: { pairing: local },
    });
    await writeConfig({ port: gateway.port });
    const found = await diagnose(cli, []);
    const broken = expectBroken(found, "pairing", "NOT_PAIRED");
    const { requestId } = broken.evidence as { requestId: string };
    expect(broken.fix).toBe(`openclaw devices approve ${requestId}`);
    await gateway.gateway.call("device.pair.approve", { requestId });
    expectConnected(await diagnose(cli, []));
  });

  test("fault 31: a device that asks for more than it was approved for", async () => {
    await using gateway = await startGateway({
      auth: { mode: "none" },
      nodes: { pairing: local },
    });
    await writeConfig({ port: gateway.port });
    await approve(gateway, await diagnose(cli, []));
    const found = await diagnose(cli, ["--node", "any", "--command", "system.run"]);
    const broken = expectBroken(found, "scope", "MISSING_SCOPE");
    expect(broken.evidence).toMatchObject({
      missing: ["operator.write"],
      granted: ["operator.read"],
    });
    expect(broken.fix).toBe(`openclaw devices approve ${String(broken.evidence["requestId"])}`);
  });

  test("fault 31: a Gateway that lets in and grants less than was asked for", async () => {
    await using server = await startWebSocket(
      (socket) => socket.send(CHALLENGE),
      ({ id }, socket) => {
        const auth = { role: "operator", scopes: ["operator.pairing"] };
        const features = { methods: [], events: [] };
        const payload = { type: "hello-ok", protocol: 4, auth, features };
        socket.send({ type: "res", id, ok: true, payload });
      },
    );
    const url = `ws://127.0.0.1:${server.port}`;
    const found = await diagnose(cli, ["--url", url, "--token", TOKEN]);
    const broken = expectBroken(found, "scope", "MISSING_SCOPE");
    expect(broken.evidence).toEqual({ missing: ["operator.read"], granted: ["operator.pairing"] });
  });

  test("fault 30: a device whose token was revoked", async () => {
    await using gateway = await startGateway({
      auth: { mode: "none" },
      nodes: { pairing: local },
    });
    await writeConfig({ port: gateway.port });
    const deviceId = await approve(gateway, await diagnose(cli, []));
    expectConnected(await diagnose(cli, []));
    await gateway.gateway.call("device.token.revoke", { deviceId, role: "operator" });
    const asks = expectBroken(await diagnose(cli, []), "pairing", "DEVICE_REVOKED");
    expect(asks.fix).toMatch(/^openclaw devices approve [\w-]+$/u);
  });

  test("fault 30: the same where the Gateway has a secret that this device does not know", async () => {
    await using gateway = await startGateway({
      auth: { mode: "none" },
      nodes: { pairing: local },
    });
    await writeConfig({ port: gateway.port });
    const deviceId = await approve(gateway, await diagnose(cli, []));
    expectConnected(await diagnose(cli, []));
    gateway.gateway.update({ auth: { mode: "token", token: TOKEN } });
    // The device's token is enough.
    expectConnected(await diagnose(cli, []));
    await gateway.gateway.call("device.token.revoke", { deviceId, role: "operator" });
    const broken = expectBroken(await diagnose(cli, []), "authentication", "DEVICE_TOKEN_REVOKED");
    expect(broken.fix).toBe("export OPENCLAW_GATEWAY_TOKEN=<token>");
  });

  test("a rotated token costs nothing: the key proves who it is", async () => {
    await using gateway = await startGateway({
      auth: { mode: "none" },
      nodes: { pairing: local },
    });
    await writeConfig({ port: gateway.port });
    const deviceId = await approve(gateway, await diagnose(cli, []));
    expectConnected(await diagnose(cli, []));
    gateway.gateway.update({ auth: { mode: "token", token: TOKEN } });
    await gateway.gateway.call("device.token.rotate", { deviceId, role: "operator" });
    expectConnected(await diagnose(cli, []));
  });
});

async function approve(
  { gateway }: Awaited<ReturnType<typeof startGateway>>,
  found: Awaited<ReturnType<typeof diagnose>>,
): Promise<string> {
  const { evidence } = expectBroken(found, "pairing", "NOT_PAIRED");
  const { requestId, deviceId } = evidence as { requestId: string; deviceId: string };
  await gateway.call("device.pair.approve", { requestId });
  return deviceId;
}

describe("node and command", () => {
  /** A Gateway with a node that offers these; of this machine, it is approved by itself. */
  async function startNode(commands: readonly string[]) {
    const gateway = await startGateway();
    const node = await createFakeNode(gateway.url, {
      token: TOKEN,
      commands: [...commands],
      displayName: "workshop",
    });
    return {
      gateway,
      node,
      args: [...gateway.flags, "--node", node.nodeId],
      async [Symbol.asyncDispose]() {
        await node[Symbol.asyncDispose]();
        await gateway[Symbol.asyncDispose]();
      },
    };
  }

  test("are walked to, and the command does not run", async () => {
    await using there = await startNode(["system.which"]);
    const found = await diagnose(cli, [...there.args, "--command", "system.which"]);
    expectConnected(found);
    expect(there.node.invokes).toEqual([]);
  });

  test("fault 32: a node that nobody knows", async () => {
    await using there = await startNode([]);
    const found = await diagnose(cli, [...there.gateway.flags, "--node", "attic"]);
    const broken = expectBroken(found, "node", "NODE_UNKNOWN");
    expect(broken.evidence["known"]).toHaveLength(1);
  });

  test("fault 33: a node that is away, with when it was last seen", async () => {
    await using there = await startNode([]);
    await there.node[Symbol.asyncDispose]();
    await expect
      .poll(async () => {
        const { nodes } = (await there.gateway.gateway.call("node.list")) as {
          nodes: { connected: boolean }[];
        };
        return nodes.some(({ connected }) => connected);
      })
      .toBe(false);
    const broken = expectBroken(await diagnose(cli, there.args), "node", "NODE_OFFLINE");
    expect(broken.evidence["lastSeen"]).toMatch(/^20\d\d-/u);
  });

  test("fault 34: a command that the node does not declare", async () => {
    await using there = await startNode(["system.which"]);
    const found = await diagnose(cli, [...there.args, "--command", "system.run"]);
    const broken = expectBroken(found, "command", "COMMAND_NOT_DECLARED");
    expect(broken.evidence).toMatchObject({ reason: "command not declared by node" });
    expect(there.node.invokes).toEqual([]);
  });

  test("fault 34: a command that the Gateway's policy does not allow", async () => {
    await using there = await startNode(["system.which", "strange.command"]);
    const args = [...there.args, "--command"];
    const platform = await diagnose(cli, [...args, "strange.command"]);
    const broken = expectBroken(platform, "command", "COMMAND_NOT_ALLOWED");
    expect(broken.fix).toContain("gateway.nodes.commands.allow");
    there.gateway.gateway.update({ commands: { allow: [], deny: ["system.which"] } });
    expectBroken(await diagnose(cli, [...args, "system.which"]), "command", "COMMAND_NOT_ALLOWED");
  });

  test("fault 34: a command that no operator has approved yet", async () => {
    await using there = await startNode(["system.which"]);
    const { identity } = there.node;
    await there.node[Symbol.asyncDispose]();
    const wider = { identity, token: TOKEN, commands: ["system.which", "system.notify"] };
    await using _again = await createFakeNode(there.gateway.url, wider);
    const found = await diagnose(cli, [...there.args, "--command", "system.notify"]);
    const broken = expectBroken(found, "command", "COMMAND_NOT_APPROVED");
    expect(broken.fix).toMatch(/^openclaw nodes approve [\w-]+$/u);
  });
});
