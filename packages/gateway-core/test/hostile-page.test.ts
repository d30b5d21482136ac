import { existsSync } from "node:fs";
import { type Server, createServer } from "node:http";
import {
  type AddressInfo,
  type Server as NetServer,
  connect,
  createServer as listen,
} from "node:net";
import { type Browser, type Page, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TOKEN, type TestGateway, startTestGateway } from "./fixture.ts";

const CHROMIUM = "/usr/bin/chromium";
const hasChromium = existsSync(CHROMIUM);

/** What a page learned of an attempt to connect. */
type Attempt = { opened: boolean; frames: string[] };

/** Stands before the Gateway and keeps what is asked and answered, so that no refusal is the browser's own. */
interface Relay {
  server: NetServer;
  port: number;
  /** What the latest WebSocket handshake was answered: `HTTP/1.1 101 …`; undefined when none came. */
  lastHandshake(): string | undefined;
}

async function startRelay(gatewayPort: number): Promise<Relay> {
  const exchanges: { asked: string; answered: string }[] = [];
  const server = listen((client) => {
    const upstream = connect(gatewayPort, "127.0.0.1");
    const exchange = { asked: "", answered: "" };
    exchanges.push(exchange);
    client.on("data", (data) => (exchange.asked += data.toString("latin1")));
    upstream.on("data", (data) => (exchange.answered += data.toString("latin1")));
    for (const socket of [client, upstream]) socket.on("error", () => {});
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    lastHandshake() {
      const { answered } =
        exchanges.findLast(({ asked }) => /^upgrade: websocket/im.test(asked)) ?? {};
      exchanges.length = 0;
      return answered?.split("\r\n", 1)[0];
    },
  };
}

/** Runs in the page: opens a WebSocket and sends what the page knows. */
function attempt({ url, frame }: { url: string; frame: string }): Promise<Attempt> {
  return new Promise((resolve) => {
    // The browser's globals, which this package is not compiled for.
    const { WebSocket } = globalThis as unknown as {
      WebSocket: new (url: string) => {
        onopen: () => void;
        onmessage: (event: { data: string }) => void;
        onclose: () => void;
        send(text: string): void;
        close(): void;
      };
    };
    const socket = new WebSocket(url);
    const frames: string[] = [];
    let opened = false;
    socket.onopen = () => {
      opened = true;
      socket.send(frame);
    };
    socket.onmessage = ({ data }) => {
      frames.push(data);
      if (data.includes('"type":"res"')) socket.close();
    };
    socket.onclose = () => resolve({ opened, frames });
  });
}

const CONNECT = JSON.stringify({
  type: "req",
  id: "1",
  method: "connect",
  params: {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: "webchat", version: "1", platform: "web", mode: "webchat" },
    auth: { token: TOKEN },
  },
});

describe.skipIf(!hasChromium)("a real browser (skipped where Debian's chromium is missing)", () => {
  let browser: Browser;
  let site: Server;
  let sitePort: number;
  let t: TestGateway;
  let port: number;
  let relay: Relay;

  beforeAll(async () => {
    t = await startTestGateway();
    relay = await startRelay(t.address.port);
    ({ port } = relay);
    site = createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end("<!doctype html><title>a page</title>");
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    ({ port: sitePort } = site.address() as AddressInfo);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      timeout: 60_000,
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        // What keeps pages from this machine in new browsers is not in all of them.
        "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
        // Names of the attacker's: one of a site of its own, one that has been made to point here.
        "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP other.test 127.0.0.1",
      ],
    });
  });

  afterAll(async () => {
    await browser?.close();
    relay?.server.close();
    site?.close();
    await t?.[Symbol.asyncDispose]();
  });

  async function pageOf(url: string): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(url);
    return page;
  }

  test("a page of another site cannot connect, with the right token in its hands", async () => {
    await using page = await pageOf(`http://evil.test:${sitePort}/`);
    for (const host of ["127.0.0.1", "localhost"]) {
      const url = `ws://${host}:${port}/`;
      expect(await page.evaluate(attempt, { url, frame: CONNECT })).toEqual({
        opened: false,
        frames: [],
      });
      expect(relay.lastHandshake()).toBe("HTTP/1.1 403 Forbidden");
    }
  });

  test("nor can one whose name points here, which the browser takes for the Gateway's own", async () => {
    // The attacker's own server has sent the page; since then its name leads to the Gateway.
    await using page = await browser.newPage();
    await page.route("**/lure", (route) =>
      route.fulfill({ contentType: "text/html", body: "<p>x" }),
    );
    await page.goto(`http://evil.test:${port}/lure`);
    expect(await page.evaluate("location.origin")).toBe(`http://evil.test:${port}`);
    const url = `ws://evil.test:${port}/`;
    expect(await page.evaluate(attempt, { url, frame: CONNECT })).toEqual({
      opened: false,
      frames: [],
    });
    expect(relay.lastHandshake()).toBe("HTTP/1.1 421 Misdirected Request");
    // What it can read of the Gateway, as its own origin, is a refusal.
    const read = await page.evaluate("fetch('/').then(async (r) => [r.status, await r.text()])");
    expect(read).toEqual([421, expect.stringContaining("host_not_allowed")]);
    const ready = await page.evaluate("fetch('/readyz').then((r) => r.text())");
    expect(ready).toBe('{"ready":true}');
  });

  test("nor can a page without an origin: a sandboxed frame, a file of data", async () => {
    await using page = await pageOf(`http://other.test:${sitePort}/`);
    await page.setContent("<iframe sandbox='allow-scripts' srcdoc='<p>x</p>'></iframe>");
    const frame = page.frames().at(-1);
    const url = `ws://127.0.0.1:${port}/`;
    expect(await frame?.evaluate("origin")).toBe("null");
    expect(await frame?.evaluate(attempt, { url, frame: CONNECT })).toMatchObject({
      opened: false,
    });
    expect(relay.lastHandshake()).toBe("HTTP/1.1 403 Forbidden");
  });

  test("a page of this machine, or one that is listed, may connect: it is the page that counts", async () => {
    await using local = await pageOf(`http://localhost:${sitePort}/`);
    const url = `ws://127.0.0.1:${port}/`;
    const connected = await local.evaluate(attempt, { url, frame: CONNECT });
    expect(connected.opened).toBe(true);
    expect(connected.frames.at(-1)).toContain('"hello-ok"');

    await using listed = await pageOf(`http://other.test:${sitePort}/`);
    t.gateway.update({ allowedOrigins: [`http://other.test:${sitePort}`] });
    expect((await listed.evaluate(attempt, { url, frame: CONNECT })).opened).toBe(true);
    t.gateway.update({ allowedOrigins: [] });
    expect((await listed.evaluate(attempt, { url, frame: CONNECT })).opened).toBe(false);
  });

  test("a link or a page cannot carry credentials in its URL, nor frame or script an answer", async () => {
    await using page = await pageOf(`http://localhost:${sitePort}/`);
    const url = `ws://127.0.0.1:${port}/?token=${TOKEN}`;
    expect(await page.evaluate(attempt, { url, frame: CONNECT })).toMatchObject({ opened: false });
    expect(relay.lastHandshake()).toBe("HTTP/1.1 400 Bad Request");
    const followed = await page.goto(
      `http://127.0.0.1:${port}/?token=${TOKEN}&gatewayUrl=ws://evil.test`,
    );
    expect(followed?.status()).toBe(400);
    expect(await followed?.text()).not.toContain(TOKEN);

    await page.goto(`http://localhost:${sitePort}/`);
    await page.setContent(`<iframe src="http://127.0.0.1:${port}/healthz"></iframe>`);
    await expect.poll(() => page.frames().at(-1)?.url()).toMatch(/^chrome-error:/);
  });
});
