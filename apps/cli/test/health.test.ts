import { createServer } from "node:net";
import { once } from "node:events";
import { writeRunToken } from "@openclaw/app-kit";
import { expect, onTestFinished, test } from "vitest";
import { createCli, startGateway, TOKEN } from "./cli-fixture.ts";

test("health says that the Gateway is well and let us in", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const { code, stdout, stderr } = await cli.run(["health", ...gateway.flags]);
  expect(code).toBe(0);
  expect(stdout).toContain("✅ Gateway is healthy\n✅ Authenticated successfully");
  expect(stderr).toBe("");
});

test("health --json prints the Gateway's report and nothing else", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const result = await cli.run(["health", "--json", ...gateway.flags]);
  expect(result.json()).toMatchObject({ ok: true, channelOrder: [] });
  expect(result.stdout.endsWith("}\n")).toBe(true);
});

test("health takes port and token from the environment, and makes no identity for loopback", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_GATEWAY_PORT: String(gateway.port) };
  const { code } = await cli.run(["health"], { env });
  expect(code).toBe(0);
  await expect(import("node:fs/promises").then((fs) => fs.readdir(cli.home.path))).resolves.toEqual(
    [],
  );
});

test("the run token of a local Gateway lets this user in, and a missing one is among what was looked at", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const { port } = gateway;
  const env = { OPENCLAW_GATEWAY_PORT: String(port) };
  const without = await cli.run(["health"], { env });
  expect(without.code).toBe(1);
  expect(without.stderr).toContain("the local Gateway's run token: not set");

  const remove = writeRunToken(cli.home.file(".openclaw"), { token: TOKEN, port, pid: 1 });
  expect((await cli.run(["health"], { env })).code).toBe(0);
  const named = await cli.run(["health", "--json", "--url", gateway.url]);
  expect(named.json()).toMatchObject({ error: { type: "gateway_credentials_required" } });
  remove();
});

test("a wrong token is a typed error with the Gateway's reason and exit 1", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const args = ["health", "--json", "--url", gateway.url, "--token", "not-the-token-at-all"];
  const result = await cli.run(args);
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({
    ok: false,
    error: { type: "gateway_auth_error", code: "AUTH_TOKEN_MISMATCH" },
    gateway: { url: gateway.url, urlSource: "cli --url" },
  });
  expect(result.stdout + result.stderr).not.toContain("not-the-token-at-all");
});

test("the failure of health is one sentence with a cross, the reason and where it went", async () => {
  await using cli = await createCli();
  const port = await freePort();
  const { code, stdout, stderr } = await cli.run(["health", "--port", String(port)]);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("❌ Gateway is not healthy: ");
  expect(stderr).toContain("ECONNREFUSED");
  expect(stderr).toContain(`Gateway target: ws://127.0.0.1:${port}`);
  expect(stderr).toContain("openclaw gateway run");
});

test("a Gateway that is not there is a transport error of kind refused", async () => {
  await using cli = await createCli();
  const port = await freePort();
  const result = await cli.run(["health", "--json", "--port", String(port)]);
  expect(result.json()).toMatchObject({
    error: { type: "gateway_transport_error", kind: "refused" },
    gateway: { url: `ws://127.0.0.1:${port}`, urlSource: "cli --port" },
  });
});

test("something that accepts and says nothing is a timeout, told with the time that was given", async () => {
  await using cli = await createCli();
  const port = await listen((socket) => socket.resume());
  const result = await cli.run(["health", "--json", "--port", String(port), "--timeout", "150"]);
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({
    error: {
      type: "gateway_transport_error",
      kind: "timeout",
      message: "gateway timeout after 150ms",
    },
  });
});

test("another program on the port is named as such", async () => {
  await using cli = await createCli();
  const port = await listen((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
  const result = await cli.run(["health", "--json", "--port", String(port)]);
  expect(result.json()).toMatchObject({
    error: { type: "gateway_transport_error", kind: "not_a_gateway" },
  });
});

test("--url without a credential is refused before a single byte is sent", async () => {
  await using cli = await createCli();
  let connections = 0;
  const port = await listen((socket) => {
    connections += 1;
    socket.destroy();
  });
  const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_GATEWAY_PASSWORD: "a-password" };
  const commands = [
    ["health"],
    ["nodes", "list"],
    ["devices", "list"],
    ["gateway", "call", "health"],
    ["gateway", "probe"],
  ];
  for (const command of commands) {
    // One after the other: they share the fixture's output.
    // oxlint-disable-next-line no-await-in-loop
    const result = await cli.run([...command, "--json", "--url", `ws://127.0.0.1:${port}`], {
      env,
    });
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({ error: { type: "gateway_credentials_required" } });
  }
  expect(connections).toBe(0);
});

test("plaintext to a public host is refused before connecting, with the cures", async () => {
  await using cli = await createCli();
  const result = await cli.run(["health", "--url", "ws://gateway.example.com", "--token", TOKEN]);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/plaintext/);
  expect(result.stderr).toMatch(/wss:\/\/.*SSH tunnel/);
});

async function listen(onSocket: (socket: import("node:net").Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  return address.port;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  return address.port;
}
