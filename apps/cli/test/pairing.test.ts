import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSetupCode, encodeSetupCode } from "@openclaw/protocol";
import { expect, test, vi } from "vitest";
import { createFakeSystemd } from "./fake-systemd.ts";
import {
  createCli,
  startGateway,
  TOKEN,
  type CliFixture,
  type TestGateway,
} from "./cli-fixture.ts";

const manual = { nodes: { pairing: { autoApproveLocal: false } } };
const PATIENT = { timeout: 30_000, interval: 20 };

async function codeOf(cli: CliFixture, gateway: TestGateway, ...more: string[]): Promise<string> {
  const { stdout } = await cli.run(["qr", "--setup-code-only", ...more, ...gateway.flags]);
  return stdout.trim();
}

async function nodes(gateway: TestGateway): Promise<Record<string, unknown>[]> {
  const { nodes: list } = (await gateway.gateway.call("node.list")) as { nodes: never[] };
  return list;
}

/** Waits until the one node is there, and says what it is. */
function connectedNode(gateway: TestGateway): Promise<Record<string, unknown>> {
  return vi.waitFor(async () => {
    const [node] = await nodes(gateway);
    expect(node).toMatchObject({ connected: true });
    return node as Record<string, unknown>;
  }, PATIENT);
}

test("qr prints a code, where it leads, how much it gives, and how to use it", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const shown = await cli.run(["qr", ...gateway.flags]);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/[█▀▄]{20}/);
  expect(shown.stdout).toContain("one device, once, within 10 minutes");
  expect(shown.stdout).toContain(`Gateway: ${gateway.url}`);
  expect(shown.stdout).toContain("Access: full");
  expect(shown.stdout).toContain("openclaw connect <code>");
  const plain = await cli.run(["qr", "--no-ascii", "--node", ...gateway.flags]);
  expect(plain.stdout).not.toMatch(/[█▀▄]/);
  expect(plain.stdout).toContain("Access: as a node");
});

test("qr --json and --setup-code-only are for programs", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const document = (
    await cli.run(["qr", "--json", "--public-url", "ws://192.168.1.20:18789", ...gateway.flags])
  ).json();
  expect(document).toMatchObject({
    setupCode: expect.any(String),
    gatewayUrl: "ws://192.168.1.20:18789",
    auth: "token",
    access: "limited",
    accessDowngraded: true,
    urlSource: "publicUrl",
  });
  const decoded = decodeSetupCode(String(document["setupCode"]), Date.now());
  expect(decoded).toMatchObject({ ok: true, code: { url: "ws://192.168.1.20:18789" } });
  expect(decodeSetupCode(await codeOf(cli, gateway), Date.now()).ok).toBe(true);
});

test("qr refuses where nobody else can reach the Gateway, and names the cures", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway({ setup: { urls: () => ["ws://127.0.0.1:18789"] } });
  const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_GATEWAY_PORT: String(gateway.port) };
  const refused = await cli.run(["qr"], { env });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("only listens on loopback");
  for (const cure of [
    "config set gateway.bind lan",
    "gateway.tailscale.mode serve",
    "qr --public-url",
  ])
    expect(refused.stderr).toContain(cure);
  const document = await cli.run(["qr", "--json"], { env });
  expect(document.json()).toMatchObject({ ok: false, error: { kind: "loopback_only" } });
});

test("connect pairs this machine, runs as a node, and afterwards commands go there by the device's own token", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway(manual);
  const code = await codeOf(cli, gateway);
  const running = cli.run(["connect", `oc-pair://${code}`, "--display-name", "workshop"]);
  const node = await connectedNode(gateway);
  expect(node).toMatchObject({ displayName: "workshop", approvalState: "approved" });
  await vi.waitFor(() => expect(cli.live.stderr).toContain("Commands now go to"), PATIENT);
  cli.signal();
  expect((await running).code).toBe(0);

  const config = await readFile(join(cli.home.path, ".openclaw", "openclaw.json"), "utf8");
  expect(config).toContain(gateway.url);
  expect(config).not.toContain(TOKEN);
  expect(config).not.toContain(code);
  // No secret anywhere: the device's token and key are enough.
  const list = await cli.run(["devices", "list", "--json"]);
  expect(list.json()).toMatchObject({ paired: [{ deviceId: node["nodeId"] }] });

  const again = cli.run(["node", "run"]);
  await connectedNode(gateway);
  cli.signal();
  expect((await again).code).toBe(0);
});

test("connect --ephemeral keeps nothing; --commands serves those alone", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway(manual);
  const code = await codeOf(cli, gateway, "--node");
  const running = cli.run(
    ["connect", "--target-file", "-", "--ephemeral", "--commands", "system.which"],
    {
      stdin: `${code}\n`,
    },
  );
  expect(await connectedNode(gateway)).toMatchObject({ commands: ["system.which"] });
  cli.signal();
  expect((await running).code).toBe(0);
  await expect(readFile(join(cli.home.path, ".openclaw", "node.json"))).rejects.toThrow("ENOENT");
});

test("node run --pair does the same, and a second machine with that code does not get in", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway(manual);
  const code = await codeOf(cli, gateway, "--node");
  const running = cli.run(["node", "run", "--pair", code], {
    env: { OPENCLAW_GATEWAY_TOKEN: "of-another-gateway" },
  });
  await connectedNode(gateway);
  cli.signal();
  expect((await running).code).toBe(0);

  await using other = await createCli();
  const refused = await other.run(["node", "run", "--pair", code]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("setup code invalid, expired, revoked, or already used");
  expect(refused.stderr).not.toContain(code);
});

test("connect takes the first address of a code that answers", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway(manual);
  const decoded = decodeSetupCode(await codeOf(cli, gateway, "--node"), Date.now());
  if (!decoded.ok) throw new Error(decoded.problem);
  const { createServer } = await import("node:net");
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const dead = `ws://127.0.0.1:${port}`;
  const code = encodeSetupCode({ ...decoded.code, url: dead, urls: [dead, gateway.url] });
  const running = cli.run(["connect", code]);
  await connectedNode(gateway);
  cli.signal();
  expect((await running).code).toBe(0);
});

test.each([
  [[], /connect needs a setup code/],
  [["not a code"], /this is no setup code/],
  [["https://gateway.example/j/abc"], /stands alone or behind oc-pair/],
  [["x", "--service", "--ephemeral"], /exclude each other/],
  [
    [encodeSetupCode({ url: "wss://a", bootstrapToken: "t", expiresAtMs: 1 })],
    /the setup code has expired/,
  ],
])("connect %j is refused before anything is made", async (args, message) => {
  await using cli = await createCli();
  const refused = await cli.run(["connect", ...args]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(message);
  await expect(readFile(join(cli.home.path, ".openclaw", "node.json"))).rejects.toThrow("ENOENT");
});

test("connect leaves a target that a person has set as it is, and says how to change it", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway(manual);
  const code = await codeOf(cli, gateway);
  await cli.run(["remote", "set", "wss://elsewhere.example"]);
  const file = join(cli.home.path, "code.txt");
  await writeFile(file, `${code}\n`);
  const running = cli.run(["connect", "--target-file", file]);
  await vi.waitFor(() => expect(cli.live.stderr).toContain("remote set"), PATIENT);
  cli.signal();
  expect((await running).code).toBe(0);
  const config = await readFile(join(cli.home.path, ".openclaw", "openclaw.json"), "utf8");
  expect(config).toContain("wss://elsewhere.example");
});

test.runIf(process.platform === "linux")(
  "connect --service pairs first and then leaves a service, which holds no code and comes in by its own token",
  async () => {
    await using cli = await createCli();
    await using gateway = await startGateway(manual);
    const code = await codeOf(cli, gateway);
    // Stopped before the Gateway, so that it does not go on knocking.
    await using systemd = await createFakeSystemd(cli.home);
    const done = await cli.run(
      ["connect", code, "--service", "--commands", "system.which", "--runtime-path", systemd.node],
      { env: systemd.env },
    );
    expect(done.stderr).toContain("Commands now go to");
    expect(done.code).toBe(0);
    expect(await connectedNode(gateway)).toMatchObject({ commands: ["system.which"] });
    const unit = await readFile(
      join(cli.home.path, ".config/systemd/user/openclaw-node.service"),
      "utf8",
    );
    expect(unit).toContain("node run");
    expect(unit).not.toContain(code);
  },
  120_000,
);
