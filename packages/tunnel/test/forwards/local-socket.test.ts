import { once } from "node:events";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, onTestFinished, test, vi } from "vitest";
import { type ForwardListener, openForwardListener } from "../../src/forwards/listener.ts";
import { resolveForward } from "../../src/forwards/parse-forward.ts";
import { silentLogger } from "../../src/logger.ts";
import { startListening } from "./abandoned-socket.ts";
import { acceptor, dial, endOf, readAll } from "./tcp.ts";

function listenOn(localPath: string, port = 1): Promise<ForwardListener> {
  return openForwardListener(resolveForward({ localPath, remotePort: port }), {
    connect: () => dial({ port }),
    fallbackPort: true,
    logger: silentLogger,
  });
}

test("listens on a socket that is nobody else's, and takes it away again", async () => {
  await using directory = await temporaryDirectory();
  await using far = await acceptor();
  const path = directory.file("db.sock");
  const mask = process.umask();
  const listener = await listenOn(path, far.port);
  expect(listener.local).toEqual({ path });
  expect(lstatSync(path).mode & 0o777).toBe(0o600);
  expect(process.umask()).toBe(mask);

  const client = await dial({ path });
  client.end("question");
  const served = await far.next();
  await expect(readAll(served)).resolves.toBe("question");
  served.end("answer");
  await expect(readAll(client)).resolves.toBe("answer");

  const cut = await dial({ path });
  await far.next();
  const end = endOf(cut);
  await listener.close();
  await expect(end).resolves.toMatch(/^(?:end|ECONNRESET)$/u);
  expect(existsSync(path)).toBe(false);
});

test("serves a client that comes the moment the socket is there", async () => {
  await using directory = await temporaryDirectory();
  await using far = await acceptor();
  const path = directory.file("db.sock");
  const opening = listenOn(path, far.port);
  const client = await vi.waitFor(() => dial({ path }), { interval: 1 });
  (await far.next()).end("already here");
  await expect(readAll(client)).resolves.toBe("already here");
  client.end();
  await using _listener = await opening;
});

test("replaces the socket of a listener that died", async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file("db.sock");
  await using left = await startListening(path);
  await left.kill();
  expect(lstatSync(path).isSocket()).toBe(true);
  await using listener = await listenOn(path);
  expect(listener.local).toEqual({ path });
  expect(lstatSync(path).mode & 0o777).toBe(0o600);
});

test("leaves the socket of a living listener alone", async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file("db.sock");
  const other = createServer((socket) => socket.end("mine"));
  other.listen({ path });
  await once(other, "listening");
  onTestFinished(() => void other.close());
  await expect(listenOn(path)).rejects.toMatchObject({
    code: "LOCAL_PORT_BUSY",
    message: expect.stringContaining(path),
  });
  await expect(readAll(await dial({ path }))).resolves.toBe("mine");
});

test("leaves everything that is no socket alone", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file("notes.txt");
  await writeFile(file, "mine");
  await expect(listenOn(file)).rejects.toMatchObject({ code: "LOCAL_PORT_BUSY" });
  expect(readFileSync(file, "utf8")).toBe("mine");

  const link = directory.file("link");
  await symlink(directory.file("nowhere"), link);
  await expect(listenOn(link)).rejects.toMatchObject({ code: "LOCAL_PORT_BUSY" });
  expect(lstatSync(link).isSymbolicLink()).toBe(true);

  const folder = directory.file("folder");
  await mkdir(folder);
  await expect(listenOn(folder)).rejects.toMatchObject({ code: "LOCAL_PORT_BUSY" });
});

test("makes no directory", async () => {
  await using directory = await temporaryDirectory();
  await expect(listenOn(directory.file("missing", "db.sock"))).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining("directory does not exist"),
  });
  expect(existsSync(directory.file("missing"))).toBe(false);
});
