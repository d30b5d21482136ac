import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { editConfigFile, resolvePaths } from "@openclaw/config";
import { createRawPeer, type RawPeer, temporaryDirectory } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";
import { changeRecordPath } from "../src/config-methods/index.ts";
import { runGateway } from "../src/run-gateway.ts";

const TOKEN = "the-first-token-of-this-test";

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A Gateway that runs as its config file says. */
async function running(more: object = {}) {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  const port = await freePort();
  const { io, out, signal } = createMemoryIo({ home: home.path });
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  await mkdir(paths.stateDir, { recursive: true });
  const gateway = {
    mode: "local",
    port,
    auth: { mode: "token", token: TOKEN },
    reload: { debounceMs: 10 },
    ...more,
  };
  await writeFile(
    paths.configPath,
    JSON.stringify({ gateway, discovery: { mdns: { mode: "off" } } }),
  );
  const urls: string[] = [];
  const exitCode = runGateway({ flags: {}, io, paths, onReady: ({ url }) => void urls.push(url) });
  onTestFinished(async () => {
    signal();
    await exitCode;
  });
  const ready = async (times: number): Promise<string> => {
    await expect.poll(() => urls.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(times);
    return urls.at(-1) ?? "";
  };
  await ready(1);
  return {
    port,
    out,
    paths,
    ready,
    read: () => readFile(paths.configPath, "utf8"),
    set: (path: string, value: unknown) => editConfigFile(paths.configPath, [{ path, value }]),
  };
}

async function connect(url: string, token = TOKEN): Promise<RawPeer> {
  const peer = await createRawPeer(url);
  onTestFinished(() => peer[Symbol.asyncDispose]());
  await peer.handshake({ token, scopes: ["operator.admin"] });
  return peer;
}

interface Applied {
  readonly payload: { readonly hash: string; readonly pending: { readonly id: string } };
}

/** Changes the port, to be confirmed within the time. */
async function changePort(peer: RawPeer, port: number, confirmMs: number): Promise<Applied> {
  // Frames of the wire, as far as they are looked at here.
  const { payload } = (await peer.request("config.get", {})) as unknown as Applied;
  const raw = JSON.stringify({ gateway: { port } });
  const params = { raw, baseHash: payload.hash, confirmMs };
  return (await peer.request("config.patch", params)) as unknown as Applied;
}

test("a changed token counts at once, and ends the connections of the former one", async () => {
  const { ready, set, out } = await running();
  const url = await ready(1);
  const peer = await connect(url);
  const closed = peer.closed;
  await set("gateway.auth.token", "the-second-token-of-this-test");
  expect(await closed).toMatchObject({ code: 4001 });
  await connect(url, "the-second-token-of-this-test");
  expect(out.stdout + out.stderr).not.toMatch(/the-(?:first|second)-token/u);
});

test("a config that is wrong, or would not start, is told and not taken", async () => {
  const { ready, paths, out, read, set } = await running();
  const url = await ready(1);
  const good = await read();
  await writeFile(paths.configPath, "{gateway: ");
  await expect.poll(() => out.stderr, { timeout: 20_000 }).toContain("the running config is kept");
  await writeFile(paths.configPath, good);
  await set("gateway.bind", "custom");
  await expect
    .poll(() => out.stderr, { timeout: 20_000 })
    .toContain("would not start with the changed config");
  await connect(url);
});

test("a changed port that somebody holds, or an address that is not there, is told and not taken", async () => {
  const { ready, out, set, read, paths } = await running();
  const good = await read();
  const holder = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void holder.close());
  await once(holder, "listening");
  const address = holder.address();
  const held = typeof address === "object" ? (address?.port ?? 0) : 0;
  const url = await ready(1);
  await set("gateway.port", held);
  await expect
    .poll(() => out.stderr, { timeout: 20_000 })
    .toContain(`port ${held} is in use on 127.0.0.1`);
  await connect(url);
  // At once: between two writes the first would be taken on.
  await writeFile(
    paths.configPath,
    good.replace('"mode":"local"', '"mode":"local","bind":"custom","customBindHost":"203.0.113.9"'),
  );
  await expect
    .poll(() => out.stderr, { timeout: 20_000 })
    .toContain("this machine does not have the address 203.0.113.9");
  await connect(url);
});

test("a changed port is confirmed there, and stays", async () => {
  const { ready, read, port, paths } = await running();
  const former = await connect(await ready(1));
  const next = await freePort();
  const answer = await changePort(former, next, 60_000);
  const url = await ready(2);
  expect(url).toContain(String(next));
  const peer = await connect(url);
  expect(await peer.request("config.confirm", { id: answer.payload.pending.id })).toMatchObject({
    ok: true,
  });
  expect(await read()).toContain(String(next));
  expect(await read()).not.toContain(String(port));
  await expect(readFile(changeRecordPath(paths.stateDir))).rejects.toThrow("ENOENT");
});

test("a changed port that nobody confirms there is taken back, and the Gateway is where it was", async () => {
  const { ready, read, port } = await running();
  const former = await connect(await ready(1));
  const before = await read();
  await changePort(former, await freePort(), 1_000);
  expect(await ready(3)).toContain(String(port));
  expect(await read()).toBe(before);
  await connect(await ready(3));
});

test("a change with which the Gateway cannot listen is taken back at once", async () => {
  const { ready, read, port } = await running();
  const former = await connect(await ready(1));
  const holder = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void holder.close());
  await once(holder, "listening");
  const address = holder.address();
  const before = await read();
  await changePort(former, typeof address === "object" ? (address?.port ?? 0) : 0, 3_600_000);
  expect(await ready(2)).toContain(String(port));
  expect(await read()).toBe(before);
});

test("a Gateway that was killed over a change takes it back before it starts", async () => {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  const { io, signal } = createMemoryIo({ home: home.path });
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  const [former, changed] = [await freePort(), await freePort()];
  const text = (port: number): string =>
    JSON.stringify({
      gateway: { mode: "local", port, auth: { token: TOKEN } },
      discovery: { mdns: { mode: "off" } },
    });
  await mkdir(paths.stateDir, { recursive: true });
  await writeFile(paths.configPath, text(changed));
  await mkdir(home.file(".openclaw", "gateway"));
  await writeFile(
    changeRecordPath(paths.stateDir),
    JSON.stringify({
      id: "1",
      configPath: paths.configPath,
      formerText: text(former),
      newText: text(changed),
      confirmMs: 60_000,
      expiresAtMs: Date.now() - 1,
    }),
  );
  const ready = Promise.withResolvers<string>();
  const exitCode = runGateway({ flags: {}, io, paths, onReady: ({ url }) => ready.resolve(url) });
  expect(await ready.promise).toContain(String(former));
  expect(await readFile(paths.configPath, "utf8")).toBe(text(former));
  signal();
  expect(await exitCode).toBe(0);
});
