import { existsSync } from "node:fs";
import { get } from "node:http";
import { writeFile } from "node:fs/promises";
import { createRawPeer, fakeTailscale, temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { exposureRecordPath } from "../src/exposure-record-path.ts";
import { refusedGateway, runningGateway } from "./running-gateway.ts";

const TOKEN = "a-token-of-the-tailscale-tests";
const ALICE = "100.90.0.1";
const peers = { [ALICE]: { login: "alice@example.com", name: "Alice" } };

/** What Serve adds to a request of Alice's. */
const served = {
  "x-forwarded-for": ALICE,
  "x-forwarded-proto": "https",
  "x-forwarded-host": "box.tail1234.ts.net",
  "tailscale-user-login": "alice@example.com",
  "tailscale-user-name": "Alice",
};

test("serve: the banner tells the name, the table has our route, and the end takes it away", async () => {
  await using tailscale = await fakeTailscale();
  await using home = await temporaryDirectory();
  const gateway = await runningGateway({
    home,
    env: tailscale.env,
    config: {
      gateway: {
        mode: "local",
        auth: { token: TOKEN },
        tailscale: { mode: "serve", resetOnExit: true },
      },
    },
  });
  expect(gateway.out.stdout).toBe(
    [
      "🚀 Gateway starting...",
      `📡 WebSocket: ws://127.0.0.1:${gateway.port}`,
      "🌐 Tailscale Serve: https://box.tail1234.ts.net/",
      "🔒 Auth mode: token",
      "",
    ].join("\n"),
  );
  expect(tailscale.tableText()).toContain(`http://127.0.0.1:${gateway.port}`);
  gateway.signal();
  expect(await gateway.exitCode).toBe(0);
  expect(tailscale.tableText()).not.toContain(String(gateway.port));
});

test("funnel: the banner says so, and who comes over it needs the password", async () => {
  await using tailscale = await fakeTailscale({ peers });
  await using home = await temporaryDirectory();
  const password = "a-password-for-the-internet";
  const gateway = await runningGateway({
    home,
    env: { ...tailscale.env, CLAWDBOT_GATEWAY_PASSWORD: password },
    config: {
      gateway: {
        mode: "local",
        auth: { mode: "password", password: "${CLAWDBOT_GATEWAY_PASSWORD}", allowTailscale: true },
        tailscale: { mode: "funnel", resetOnExit: true },
      },
    },
  });
  expect(gateway.out.stdout).toContain("🌐 Tailscale Funnel: https://box.tail1234.ts.net/\n");
  await using stranger = await createRawPeer(gateway.url, {
    headers: { ...served, "tailscale-funnel-request": "?1" },
  });
  await expect(stranger.handshake({})).rejects.toMatchObject({
    error: { details: { code: "AUTH_PASSWORD_MISSING" } },
  });
  gateway.signal();
  expect(await gateway.exitCode).toBe(0);
});

test("serve without a secret lets the tailnet's users in by who they are, and nobody else", async () => {
  await using tailscale = await fakeTailscale({ peers });
  await using home = await temporaryDirectory();
  const gateway = await runningGateway({
    home,
    env: tailscale.env,
    config: { gateway: { mode: "local", tailscale: { mode: "serve" } } },
  });
  await using alice = await createRawPeer(gateway.url, { headers: served });
  // She is known; her device still has to be let in once.
  await expect(alice.handshake({})).rejects.toMatchObject({ error: { code: "NOT_PAIRED" } });

  await using mallory = await createRawPeer(gateway.url, {
    headers: { ...served, "tailscale-user-login": "mallory@example.com" },
  });
  await expect(mallory.handshake({})).rejects.toMatchObject({
    error: { details: { authReason: expect.stringMatching(/^tailscale_|^token_/u) } },
  });
  gateway.signal();
  await gateway.exitCode;
});

test("strict serve: with allowTailscale false the token is needed through Serve too", async () => {
  await using tailscale = await fakeTailscale({ peers });
  await using home = await temporaryDirectory();
  const gateway = await runningGateway({
    home,
    env: tailscale.env,
    config: {
      gateway: {
        mode: "local",
        auth: { token: TOKEN, allowTailscale: false },
        tailscale: { mode: "serve" },
      },
    },
  });
  await using without = await createRawPeer(gateway.url, { headers: served });
  await expect(without.handshake({})).rejects.toMatchObject({
    error: { details: { code: "AUTH_TOKEN_MISSING" } },
  });
  await using withToken = await createRawPeer(gateway.url, { headers: served });
  await expect(withToken.handshake({ token: TOKEN })).rejects.toMatchObject({
    error: { code: "NOT_PAIRED" },
  });
  expect(tailscale.calls().map(([word]) => word)).not.toContain("whois");
  gateway.signal();
  await gateway.exitCode;
});

test("a password that is set while it runs is asked for through Serve too, as after a restart", async () => {
  await using tailscale = await fakeTailscale({ peers });
  await using home = await temporaryDirectory();
  const config = {
    gateway: { mode: "local", auth: { token: TOKEN }, tailscale: { mode: "serve" } },
  };
  const gateway = await runningGateway({ home, env: tailscale.env, config });
  const knock = async (): Promise<unknown> => {
    await using alice = await createRawPeer(gateway.url, { headers: served });
    return (await alice.connect({})).error?.details?.["code"];
  };
  expect(await knock()).toBe("PAIRING_REQUIRED");
  const auth = { mode: "password", password: "a-password-of-the-tailscale-tests" };
  const changed = { gateway: { ...config.gateway, auth } };
  await writeFile(gateway.configPath, JSON.stringify(changed));
  await expect
    .poll(() => gateway.out.stderr, { timeout: 20_000 })
    .toContain("config change applied");
  expect(await knock()).toBe("AUTH_PASSWORD_MISSING");
  gateway.signal();
  await gateway.exitCode;
});

test("a page may ask for the name that Serve gave the Gateway, and for no other", async () => {
  await using tailscale = await fakeTailscale({ peers });
  await using home = await temporaryDirectory();
  const gateway = await runningGateway({
    home,
    env: tailscale.env,
    flags: { token: TOKEN, tailscale: "serve" },
  });
  const statusOf = (name: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const url = gateway.url.replace("ws:", "http:");
      get(url, { headers: { host: name } }, ({ statusCode }) => resolve(statusCode)).on(
        "error",
        reject,
      );
    });
  expect(await statusOf(tailscale.host)).not.toBe(421);
  expect(await statusOf("box.evil.example")).toBe(421);
  gateway.signal();
  await gateway.exitCode;
});

test("off never runs the program", async () => {
  await using tailscale = await fakeTailscale();
  await using home = await temporaryDirectory();
  const gateway = await runningGateway({ home, env: tailscale.env, flags: { token: TOKEN } });
  gateway.signal();
  await gateway.exitCode;
  expect(tailscale.calls()).toEqual([]);
});

test("a route that stays is adopted by the next start, and taken away when Tailscale is turned off", async () => {
  await using tailscale = await fakeTailscale();
  await using home = await temporaryDirectory();
  const flags = { token: TOKEN, tailscale: "serve" };
  const first = await runningGateway({ home, env: tailscale.env, flags });
  first.signal();
  await first.exitCode;
  expect(tailscale.tableText()).toContain(String(first.port));

  const second = await runningGateway({ home, env: tailscale.env, flags });
  expect(tailscale.tableText()).toContain(String(second.port));
  expect(tailscale.tableText().match(/127\.0\.0\.1/gu)).toHaveLength(1);
  second.signal();
  await second.exitCode;

  const third = await runningGateway({ home, env: tailscale.env, flags: { token: TOKEN } });
  expect(tailscale.tableText()).not.toContain("127.0.0.1");
  expect(existsSync(exposureRecordPath(third.stateDir))).toBe(false);
  third.signal();
  await third.exitCode;
});

test.each([
  ["no rights", { isOperator: false }, 78, /tailscale set --operator=/u],
  ["HTTPS is off in the tailnet", { isHttpsEnabled: false }, 78, /https/iu],
  ["the daemon does not run", { isDaemonRunning: false }, 1, /tailscale/u],
])("R15: %s: the start fails and says what to do", async (_title, state, code, says) => {
  await using tailscale = await fakeTailscale(state);
  await using home = await temporaryDirectory();
  const refused = await refusedGateway({
    home,
    env: tailscale.env,
    flags: { token: TOKEN, tailscale: "serve" },
  });
  expect(refused.code).toBe(code);
  expect(refused.stderr).toMatch(says);
  expect(refused.stderr).toContain("ssh://");
});

// Where Tailscale is an app, the real one would be found beside PATH.
test.skipIf(process.platform === "darwin")(
  "R15: without the program the start fails and names SSH",
  async () => {
    await using home = await temporaryDirectory();
    const refused = await refusedGateway({
      home,
      env: { PATH: home.path },
      flags: { token: TOKEN, tailscale: "serve" },
    });
    expect(refused).toMatchObject({ code: 78, stderr: expect.stringContaining("ssh://me@host") });
  },
);
