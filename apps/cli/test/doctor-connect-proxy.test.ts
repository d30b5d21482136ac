import { freePort, hasHaproxy, hasNginx, startHaproxy, startNginx } from "@openclaw/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";
import { diagnose, expectBroken, startWebSocket } from "./doctor-connect-fixture.ts";

let cli: CliFixture;

beforeEach(async () => {
  cli = await createCli();
});
afterEach(() => cli[Symbol.asyncDispose]());

const withToken = (url: string): string[] => [url, "--token", TOKEN];

/** What a location of nginx needs for a WebSocket. */
const PASSES = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`;

/** A real nginx in front of a port, with the lines of its location. */
function startProxy(port: number, lines: string, server = "") {
  return startNginx({
    config: (own) =>
      `server { listen 127.0.0.1:${own}; ${server} location / { proxy_pass http://127.0.0.1:${port}; ${lines} } }`,
  });
}

const url = ({ port }: { port: number }): string => `ws://127.0.0.1:${port}`;

describe.runIf(hasNginx)("behind nginx", () => {
  test("that passes the WebSocket on, and is trusted, all is well", async () => {
    await using gateway = await startGateway({ trustedProxies: ["127.0.0.1"] });
    await using proxy = await startProxy(
      gateway.port,
      `${PASSES} proxy_set_header X-Forwarded-For $remote_addr;`,
    );
    const found = await diagnose(cli, withToken(url(proxy)));
    // It says whom it forwards for, so this device is not on the Gateway's machine any more.
    expect(found.steps.find(({ name }) => name === "challenge")?.ok).toBe(true);
  });

  test.each([
    // nginx drops Upgrade and keeps the rest: the Gateway says what is missing.
    ["that passes no Upgrade on", "", 426],
    ["that answers the handshake with a page", "if ($http_upgrade) { return 200 'welcome'; }", 200],
    ["that takes it for a bad request", "if ($http_upgrade) { return 400; }", 400],
    ["that does not find it", "if ($http_upgrade) { return 404; }", 404],
  ])("fault 20: %s", async (_, lines, status) => {
    await using gateway = await startGateway();
    await using proxy = await startProxy(gateway.port, lines);
    const found = await diagnose(cli, withToken(url(proxy)));
    const broken = expectBroken(found, "upgrade", "PROXY_WITHOUT_UPGRADE");
    expect(broken.evidence).toMatchObject({ httpStatus: status });
    expect(broken.fix).toContain("proxy_set_header Upgrade $http_upgrade");
  });

  test("fault 20: with nothing behind it", async () => {
    await using proxy = await startProxy(await freePort(), PASSES);
    const found = await diagnose(cli, withToken(url(proxy)));
    const broken = expectBroken(found, "upgrade", "PROXY_UPSTREAM_DOWN");
    expect(broken.evidence).toMatchObject({ httpStatus: 502 });
    expect(broken.evidence["server"]).toContain("nginx");
  });

  test("that redirects to another place names that place", async () => {
    await using proxy = await startProxy(1, "", "return 301 https://claw.example$request_uri;");
    const broken = expectBroken(
      await diagnose(cli, withToken(url(proxy))),
      "upgrade",
      "REDIRECTED",
    );
    expect(broken.fix).toBe("openclaw doctor connect wss://claw.example");
  });

  test("that wants a login of its own", async () => {
    await using proxy = await startProxy(1, "", "return 401;");
    expectBroken(await diagnose(cli, withToken(url(proxy))), "upgrade", "PROXY_WANTS_LOGIN");
  });

  test("fault 21: a proxy that the Gateway does not trust", async () => {
    await using gateway = await startGateway();
    const lines = `${PASSES} proxy_set_header X-Forwarded-For $remote_addr;`;
    await using proxy = await startProxy(gateway.port, lines);
    const found = await diagnose(cli, withToken(url(proxy)));
    const broken = expectBroken(found, "upgrade", "PROXY_NOT_TRUSTED");
    expect(broken.evidence).toMatchObject({ httpStatus: 403, type: "proxy_attribution_required" });
    expect(broken.fix).toContain("gateway.trustedProxies");
  });

  test("fault 22: a page of another origin, and one that asks for an unknown name", async () => {
    await using gateway = await startGateway();
    const origin = ["--origin", "https://other.example"];
    const args = [...gateway.flags, ...origin];
    await using listed = await startGateway({
      allowedHosts: ["claw.example"],
      trustedProxies: ["127.0.0.1"],
    });
    const page = await startProxy(
      listed.port,
      `${PASSES} proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Host rebound.example;`,
    );
    try {
      const refused = expectBroken(await diagnose(cli, args), "upgrade", "ORIGIN_REFUSED");
      expect(refused.evidence).toMatchObject({ httpStatus: 403, type: "origin_not_allowed" });
      const unknown = await diagnose(cli, [...withToken(url(page)), ...origin]);
      const broken = expectBroken(unknown, "upgrade", "HOST_REFUSED");
      expect(broken.evidence).toMatchObject({ httpStatus: 421 });
    } finally {
      await page[Symbol.asyncDispose]();
    }
  });

  test("fault 22: an Origin that the proxy adds by itself", async () => {
    await using gateway = await startGateway({ trustedProxies: ["127.0.0.1"] });
    const lines = `${PASSES} proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Origin https://other.example;`;
    await using proxy = await startProxy(gateway.port, lines);
    expectBroken(await diagnose(cli, withToken(url(proxy))), "upgrade", "ORIGIN_REFUSED");
  });
});

describe.runIf(hasHaproxy)("behind haproxy", () => {
  test("fault 20: with nothing behind it, which haproxy calls 503", async () => {
    const port = await freePort();
    await using proxy = await startHaproxy({
      config: (own) =>
        `listen gateway\n    mode http\n    bind 127.0.0.1:${own}\n    retries 1\n    server one 127.0.0.1:${port}`,
    });
    const found = await diagnose(cli, withToken(url(proxy)));
    const broken = expectBroken(found, "upgrade", "PROXY_UPSTREAM_DOWN");
    expect(broken.evidence).toMatchObject({ httpStatus: 503 });
  });
});

describe("what greets", () => {
  test.each([
    [
      "a frame of more bytes than any greeting has",
      [0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0],
      "NOT_A_GATEWAY",
    ],
    ["binary", [0x82, 1, 7], "NOT_A_GATEWAY"],
    ["a ping, and then nothing", [0x89, 0], "NO_CHALLENGE"],
    ["half a frame", [0x81, 100, 65], "NO_CHALLENGE"],
    ["a close without a code", [0x88, 0], "NO_CHALLENGE"],
    ["text that is no JSON", [0x81, 2, 104, 105], "NOT_A_GATEWAY"],
  ])("%s is no challenge", async (_, bytes, code) => {
    await using server = await startWebSocket((socket) => socket.sendBytes(Buffer.from(bytes)));
    expectBroken(await diagnose(cli, withToken(url(server))), "challenge", code);
  });

  test("fault 23: a WebSocket without a challenge", async () => {
    await using silent = await startWebSocket(() => {});
    const found = await diagnose(cli, withToken(url(silent)));
    const broken = expectBroken(found, "challenge", "NO_CHALLENGE");
    expect(broken.evidence["waitedMs"]).toBeGreaterThan(0);

    await using closing = await startWebSocket((socket) => socket.close(1011, "not today"));
    const closed = await diagnose(cli, withToken(url(closing)));
    expect(expectBroken(closed, "challenge", "NO_CHALLENGE").evidence).toEqual({
      closeCode: 1011,
      reason: "not today",
    });
  });

  test("a WebSocket of another service", async () => {
    await using chat = await startWebSocket((socket) => socket.send('{"hello":"chat"}'));
    const broken = expectBroken(
      await diagnose(cli, withToken(url(chat))),
      "challenge",
      "NOT_A_GATEWAY",
    );
    expect(broken.evidence["firstFrame"]).toContain("chat");
  });
});
