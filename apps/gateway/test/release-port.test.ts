import { createServer } from "node:http";
import { once } from "node:events";
import { createGateway } from "@openclaw/gateway-core";
import { freePort, startProcess, temporaryDirectory } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { releasePort } from "../src/release-port.ts";
import { refusedGateway, runningGateway } from "./running-gateway.ts";

vi.setConfig({ testTimeout: 60_000 });

/** A process that holds a port, with or without a care for SIGTERM. */
async function holdPort(port: number, { heedsTerm }: { heedsTerm: boolean }) {
  const code = `
    ${heedsTerm ? "" : 'process.on("SIGTERM", () => {});'}
    require("node:net").createServer().listen(${port}, "127.0.0.1", () => console.log("holding"));
  `;
  const child = startProcess(process.execPath, ["-e", code]);
  await child.line("holding", { deadlineMs: 20_000 });
  return child;
}

test("nothing happens to a free port", async () => {
  const kill = vi.fn();
  const port = await freePort();
  expect(await releasePort({ port, isInteractive: false, kill })).toEqual({ ended: [] });
  expect(kill).not.toHaveBeenCalled();
});

test.each([
  ["SIGTERM ends who heeds it", true],
  ["SIGKILL ends who does not heed SIGTERM", false],
])("%s", async (_title, heedsTerm) => {
  const port = await freePort();
  await using child = await holdPort(port, { heedsTerm });
  const released = await releasePort({ port, isInteractive: false });
  expect(released).toMatchObject({ ended: [{ pid: child.pid }] });
  const { signal } = await child.exited;
  expect(signal).toBe(heedsTerm ? "SIGTERM" : "SIGKILL");
});

test("--force starts the Gateway where another program listened", async () => {
  await using home = await temporaryDirectory();
  const port = await freePort();
  await using child = await holdPort(port, { heedsTerm: true });
  const flags = { token: "a-token-for-this-test", port: String(port), force: true };
  const gateway = await runningGateway({ home, flags });
  expect(gateway.port).toBe(port);
  expect(gateway.out.stderr).toContain(`pid ${child.pid}`);
  gateway.signal();
  expect(await gateway.exitCode).toBe(0);
});

test("a Gateway is not ended from where nobody sits, whatever its process is called", async () => {
  const gateway = createGateway({ auth: { mode: "none" } });
  const { port } = await gateway.listen({ port: 0 });
  const kill = vi.fn();
  // As if another process of this user held it: this one could not be ended by its own test.
  const findHolders = async () => [{ address: "127.0.0.1", pid: 1, command: "node" }];
  const released = await releasePort({ port, isInteractive: false, kill, findHolders });
  expect(released).toMatchObject({
    refusal: { exitCode: 1, message: expect.stringContaining("does not end the Gateway") },
  });
  expect(kill).not.toHaveBeenCalled();
  await gateway.close();
});

test("a person may end a Gateway", async () => {
  const gateway = createGateway({ auth: { mode: "none" } });
  const { port } = await gateway.listen({ port: 0 });
  let isHeld = true;
  const holder = { address: "127.0.0.1", pid: 1, command: "node" };
  const released = await releasePort({
    port,
    isInteractive: true,
    kill: (_pid, signal) => void (isHeld = signal !== "SIGTERM"),
    findHolders: async () => (isHeld ? [holder] : []),
  });
  expect(released).toEqual({ ended: [holder] });
  await gateway.close();
});

test("a process of another user, and this one, are left alone", async () => {
  const kill = vi.fn();
  for (const pid of [undefined, process.pid]) {
    const holder = { address: "127.0.0.1", ...(pid === undefined ? {} : { pid }) };
    const released = await releasePort({
      port: 1,
      isInteractive: true,
      kill,
      findHolders: async () => [holder],
    });
    expect(released).toMatchObject({ refusal: { exitCode: 1 } });
  }
  expect(kill).not.toHaveBeenCalled();
});

test("what cannot be seen is not forced: lsof is asked for", async () => {
  const released = await releasePort({
    port: 1,
    isInteractive: true,
    canFindHolders: async () => false,
  });
  expect(released).toMatchObject({
    refusal: { exitCode: 1, message: expect.stringContaining("needs lsof") },
  });
});

test("without --force the holder stays", async () => {
  await using home = await temporaryDirectory();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const flags = { token: "a-token-for-this-test", port: String(port) };
  const { code, stderr } = await refusedGateway({ home, flags });
  expect(code).toBe(1);
  expect(stderr).toContain(`port ${port} is in use by pid ${process.pid}`);
  server.close();
});
