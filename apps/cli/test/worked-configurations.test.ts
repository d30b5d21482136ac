import { fakeTailscale, freePort } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { createCli } from "./cli-fixture.ts";
import { refuses, starts, writeConfig } from "./gateway-fixture.ts";

// The configurations that the guides to remote access show, each as it is written there.

const TOKEN = "a-token-of-the-worked-configurations";
const PASSWORD = "a-password-of-the-worked-configurations";

const anyPort = async (): Promise<{ port: number }> => ({ port: await freePort() });

test("default loopback listens on 127.0.0.1", async () => {
  const { port } = await anyPort();
  await using run = await starts({
    config: { gateway: { mode: "local", port, auth: { token: TOKEN } } },
  });
  expect(run.banner).toContain(`📡 WebSocket: ws://127.0.0.1:${port}\n`);
});

test("tutorial A: Serve with a password, which identity headers do not replace", async () => {
  await using tailscale = await fakeTailscale();
  await using run = await starts({
    tailscale,
    env: { CLAWDBOT_GATEWAY_PASSWORD: PASSWORD },
    config: {
      gateway: {
        mode: "local",
        ...(await anyPort()),
        bind: "loopback",
        tailscale: { mode: "serve", resetOnExit: true },
        auth: { mode: "password" },
      },
    },
  });
  expect(run.banner).toContain("🌐 Tailscale Serve: https://box.tail1234.ts.net/");
  expect(run.banner).toContain("🔒 Auth mode: password");
});

test("tutorial C: Funnel with the password from a variable", async () => {
  await using tailscale = await fakeTailscale();
  const gateway = {
    mode: "local",
    ...(await anyPort()),
    tailscale: { mode: "funnel", resetOnExit: true },
    auth: { mode: "password", password: "${CLAWDBOT_GATEWAY_PASSWORD}" },
  };
  {
    await using run = await starts({
      tailscale,
      env: { CLAWDBOT_GATEWAY_PASSWORD: PASSWORD },
      config: { gateway },
    });
    expect(run.banner).toContain("🌐 Tailscale Funnel: https://box.tail1234.ts.net/");
  }
  const unset = await refuses({ tailscale, config: { gateway } });
  expect(unset.code).toBe(78);
  expect(unset.stderr).toContain("CLAWDBOT_GATEWAY_PASSWORD");
});

test("pitfall 1: bind lan without a secret is refused (R8)", async () => {
  const { code, stderr } = await refuses({ config: { gateway: { mode: "local", bind: "lan" } } });
  expect(code).toBe(78);
  expect(stderr).toMatch(/gateway\.auth\.token.*OPENCLAW_GATEWAY_TOKEN/u);
});

test("pitfall 2: Funnel with a token is refused (R9)", async () => {
  await using tailscale = await fakeTailscale();
  const { code, stderr } = await refuses({
    tailscale,
    config: {
      gateway: {
        mode: "local",
        auth: { mode: "token", token: TOKEN },
        tailscale: { mode: "funnel" },
      },
    },
  });
  expect(code).toBe(78);
  expect(stderr).toMatch(/gateway\.auth\.password.*OPENCLAW_GATEWAY_PASSWORD/u);
  expect(tailscale.calls()).toEqual([]);
});

test("tokenless Serve starts, on identity headers", async () => {
  await using tailscale = await fakeTailscale();
  await using run = await starts({
    tailscale,
    config: { gateway: { mode: "local", ...(await anyPort()), tailscale: { mode: "serve" } } },
  });
  expect(run.banner).toContain("🌐 Tailscale Serve:");
});

test("strict Serve starts with allowTailscale false and a token", async () => {
  await using tailscale = await fakeTailscale();
  await using run = await starts({
    tailscale,
    config: {
      gateway: {
        mode: "local",
        ...(await anyPort()),
        tailscale: { mode: "serve" },
        auth: { token: TOKEN, allowTailscale: false },
      },
    },
  });
  expect(run.banner).toContain("🔒 Auth mode: token");
});

test("client by tunnel: commands go there, and a Gateway is refused here (R2)", async () => {
  const { port } = await anyPort();
  const remote = { url: `ws://127.0.0.1:${port}`, token: TOKEN };
  await using far = await starts({
    config: { gateway: { mode: "local", port, auth: { token: TOKEN } } },
  });
  expect(far.banner).toContain(String(port));
  await using cli = await createCli();
  await writeConfig(cli, { gateway: { mode: "remote", remote } });
  expect(await cli.run(["health"])).toMatchObject({ code: 0 });
  const refused = await cli.run(["gateway", "run"]);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("gateway.mode is remote");
});

test("client direct TLS: the pin is enforced", async () => {
  const { port } = await anyPort();
  await using far = await starts({
    config: { gateway: { mode: "local", port, auth: { token: TOKEN }, tls: { enabled: true } } },
  });
  expect(far.banner).toContain(`📡 WebSocket: wss://127.0.0.1:${port}`);
  const fingerprint = /fingerprint \(SHA-256\): (\S+)/u.exec(far.banner)?.[1] ?? "";
  const remote = { transport: "direct", url: `wss://127.0.0.1:${port}`, token: TOKEN };

  await using cli = await createCli();
  await writeConfig(cli, {
    gateway: { mode: "remote", remote: { ...remote, tlsFingerprint: fingerprint } },
  });
  expect(await cli.run(["health"])).toMatchObject({ code: 0 });
  const other = fingerprint.replace(/^../u, fingerprint.startsWith("00") ? "11" : "00");
  await writeConfig(cli, {
    gateway: { mode: "remote", remote: { ...remote, tlsFingerprint: other } },
  });
  const refused = await cli.run(["health"]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(fingerprint);
  expect(refused.stderr).toContain(other);
});

test("second profile: state, lock and label of its own, beside the first", async () => {
  const [first, second] = [await anyPort(), await anyPort()];
  await using one = await starts({
    config: { gateway: { mode: "local", ...first, auth: { token: TOKEN } } },
  });
  await using rescue = await starts({
    profile: "rescue",
    config: { gateway: { mode: "local", ...second, auth: { token: TOKEN } } },
  });
  expect(one.banner).toContain(String(first.port));
  expect(rescue.banner).toContain(String(second.port));
});
