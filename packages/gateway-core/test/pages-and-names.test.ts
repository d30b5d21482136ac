import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Logger, createGateway } from "../src/index.ts";
import { TOKEN, startTestGateway } from "./fixture.ts";
import { httpGet, httpUpgrade } from "./http-get.ts";

const EVIL = { Origin: "http://evil.example:18789", Host: "evil.example:18789" };

describe("pain 12: a name that was made to point here", () => {
  test("is refused to browsers before the handshake, and to requests for pages", async () => {
    await using t = await startTestGateway();
    const upgrade = await httpUpgrade(t.url, { headers: EVIL });
    expect(upgrade).toMatchObject({ status: 421, type: "host_not_allowed" });
    expect(
      await httpUpgrade(t.url, {
        headers: { Host: "evil.example", "Sec-Fetch-Mode": "websocket" },
      }),
    ).toMatchObject({ status: 421 });
    // A page's request to what looks like its own site carries no Origin at all.
    for (const Host of [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "x@127.0.0.1",
    ])
      expect(await httpGet(`${t.url}/`, { headers: { Host } })).toMatchObject({ status: 421 });
    for (const Host of ["localhost", "127.0.0.1:18789", "[::1]:18789", "192.168.1.5"])
      expect(await httpGet(`${t.url}/`, { headers: { Host } })).toMatchObject({ status: 404 });
  });

  test("is fine for a program, which sends no Origin", async () => {
    await using t = await startTestGateway();
    const answer = await httpUpgrade(t.url, { headers: { Host: "box.in.my.hosts.file:18789" } });
    expect(answer.status).toBe(101);
  });

  test("may be one of this machine's, and the host of a page that may connect is", async () => {
    await using t = await startTestGateway({
      allowedHosts: ["box", ".tail1234.ts.net"],
      allowedOrigins: ["https://claw.example"],
    });
    const status = async (Host: string): Promise<number> =>
      (await httpGet(`${t.url}/`, { headers: { Host } })).status;
    expect(
      await Promise.all(["box:1", "BOX.", "a.tail1234.ts.net", "claw.example"].map(status)),
    ).toEqual([404, 404, 404, 404]);
    expect(
      await Promise.all(["box.evil", "tail1234.ts.net", "eviltail1234.ts.net"].map(status)),
    ).toEqual([421, 421, 421]);
    // Whichever name the listed page has found us by: it is the page that is trusted.
    const listed = { Origin: "https://claw.example", Host: "gateway.internal" };
    expect((await httpUpgrade(t.url, { headers: listed })).status).toBe(101);
  });

  test("is reported by a trusted proxy, and believed", async () => {
    await using t = await startTestGateway({ trustedProxies: ["127.0.0.1"] });
    const headers = { Host: "upstream", "X-Forwarded-For": "203.0.113.9" };
    expect((await httpGet(`${t.url}/`, { headers })).status).toBe(421);
    const named = { ...headers, "X-Forwarded-Host": "claw.example" };
    expect((await httpGet(`${t.url}/`, { headers: named })).status).toBe(404);
    const lie = { Host: "evil.example", "X-Forwarded-Host": "127.0.0.1" };
    expect((await httpGet(`${t.url}/`, { headers: lie })).status).toBe(403);
  });

  test("does not keep anyone from asking whether the Gateway lives", async () => {
    await using t = await startTestGateway();
    const ready = await httpGet(`${t.url}/readyz`, { headers: { Host: "balancer.internal" } });
    expect(ready).toMatchObject({ status: 200, body: '{"ready":true}' });
    const forwarded = { "X-Forwarded-For": "203.0.113.9" };
    expect(await httpGet(`${t.url}/readyz`, { headers: forwarded })).toMatchObject({
      status: 200,
      body: '{"ready":true}',
    });
  });

  test("is the embedder's matter on a server of its own, for requests; upgrades are looked at", async () => {
    const gateway = createGateway({ auth: { mode: "token", token: TOKEN } });
    const server = createServer((request, response) => {
      if (!gateway.handleRequest(request, response)) response.end("a page of your own");
    });
    gateway.attach(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(async () => {
      await gateway.close();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await httpGet(`${url}/?token=mine`, { headers: EVIL })).toMatchObject({ status: 200 });
    expect(await httpGet(`${url}/healthz?token=x`)).toMatchObject({ status: 400 });
    expect(await httpUpgrade(url, { headers: EVIL })).toMatchObject({ status: 421 });
  });
});

describe("a page of another origin", () => {
  test.each([
    ["http://evil.example", 403],
    ["https://127.0.0.1.evil.example", 403],
    ["null", 403],
    ["http://192.168.1.5:18789", 403],
    ["http://localhost:3000", 101],
    ["http://127.0.0.1:18789", 101],
  ])("%s is answered %i before the handshake", async (Origin, status) => {
    await using t = await startTestGateway();
    const answer = await httpUpgrade(t.url, { headers: { Origin } });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.type).toBe("origin_not_allowed");
  });

  test("may connect where the dangerous fallback is on, if it was loaded from that name", async () => {
    await using t = await startTestGateway({ dangerouslyAllowHostHeaderOrigin: true });
    expect((await httpUpgrade(t.url, { headers: EVIL })).status).toBe(101);
    const other = { ...EVIL, Host: "127.0.0.1" };
    expect((await httpUpgrade(t.url, { headers: other })).status).toBe(403);
  });
});

describe("a credential in a URL", () => {
  const lines: string[] = [];
  const log = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };

  test.each([
    `token=${TOKEN}`,
    `x=1&password=${TOKEN}`,
    `Auth=${TOKEN}`,
    `access_token=${TOKEN}`,
    `API-Key=${TOKEN}`,
    `%74oken=${TOKEN}`,
    "gatewayToken",
  ])("%s is refused on upgrades and requests, and never logged", async (query) => {
    await using t = await startTestGateway({ logger });
    const upgrade = await httpUpgrade(`${t.url}/?${query}`);
    expect(upgrade).toMatchObject({ status: 400, type: "credentials_in_url" });
    for (const path of ["/", "/readyz", "/elsewhere"]) {
      const answer = await httpGet(`${t.url}${path}?${query}`);
      expect(answer).toMatchObject({ status: 400, type: "credentials_in_url" });
      expect(answer.body).not.toContain(TOKEN);
    }
    expect(lines.filter((line) => line.includes(TOKEN))).toEqual([]);
  });

  test("other parameters are nobody's business", async () => {
    await using t = await startTestGateway();
    expect((await httpUpgrade(`${t.url}/?session=main&tokens=5`)).status).toBe(101);
  });
});

test("every answer carries the security headers", async () => {
  await using t = await startTestGateway({ strictTransportSecurity: "max-age=31536000" });
  const answers = [
    await httpGet(`${t.url}/healthz`),
    await httpGet(`${t.url}/`),
    await httpGet(`${t.url}/?token=x`),
    await httpGet(`${t.url}/`, { headers: { Host: "evil.example" } }),
    await httpUpgrade(t.url, { headers: { Origin: "http://evil.example" } }),
    await httpUpgrade(t.url, { headers: { "X-Forwarded-For": "1.2.3.4" } }),
    await httpUpgrade(t.url, { headers: { "Sec-WebSocket-Version": "7" } }),
    await httpGet(t.url, { headers: { "X-Long": "x".repeat(20_000) } }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 400, 421, 403, 403, 400, 431]);
  for (const { headers } of answers) {
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
      "permissions-policy": expect.stringContaining("microphone=()"),
    });
    // Over plain HTTP a browser would ignore it, and a proxy might not.
    expect(headers).not.toHaveProperty("strict-transport-security");
  }
});

test("a refused peer that keeps its half of the connection open is dropped", async () => {
  const gateway = createGateway({ auth: { mode: "token", token: TOKEN } });
  const server = createServer();
  gateway.attach(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    await gateway.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.write(
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: null\r\n\r\n",
  );
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 421 /);
  const open = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  await expect.poll(open).toBe(0);
});

test("the log says which page was refused, once a minute, and nothing that a terminal obeys", async () => {
  const lines: object[] = [];
  const ignore = (): void => {};
  const warn = (fields: object, message: string): void => void lines.push({ ...fields, message });
  const logger: Logger = { debug: ignore, info: ignore, warn, error: ignore, child: () => logger };
  await using t = await startTestGateway({ logger });
  for (let n = 0; n < 3; n += 1)
    await httpUpgrade(t.url, {
      headers: { Origin: `http://evil.example/\u0085${"x".repeat(500)}` },
    });
  expect(lines).toEqual([
    {
      address: "127.0.0.1",
      origin: expect.stringMatching(/^http:\/\/evil\.example\/x{50,100}$/),
      host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      status: 403,
      repeated: 0,
      message: expect.stringContaining("gateway.controlUi.allowedOrigins"),
    },
  ]);
});

test("an option that cannot be is refused at the start, naming the entry", () => {
  const auth = { mode: "token", token: TOKEN } as const;
  const start = (options: object): unknown => createGateway({ auth, ...options });
  for (const [options, named] of [
    [{ trustedProxies: ["10.0.0.0/8", "proxy"] }, 'trustedProxies[1] is "proxy"'],
    [{ allowedHosts: ["https://box"] }, 'allowedHosts[0] is "https://box"'],
    [{ allowedHosts: ["*.ts.net"] }, 'allowedHosts[0] is "*.ts.net"'],
    [{ allowedOrigins: ["claw.example"] }, 'allowedOrigins[0] is "claw.example"'],
    [{ strictTransportSecurity: "yes\r\nX: y" }, "strictTransportSecurity"],
    [{ auth: { mode: "trusted-proxy", userHeader: "X-User" } }, "trustedProxies is empty"],
    [
      { auth: { mode: "trusted-proxy", userHeader: "X User" }, trustedProxies: ["10.0.0.1"] },
      "auth.userHeader",
    ],
  ] as const)
    expect(() => start(options)).toThrow(
      expect.objectContaining({
        code: "OPTIONS_INVALID",
        message: expect.stringContaining(named),
      }),
    );
});
