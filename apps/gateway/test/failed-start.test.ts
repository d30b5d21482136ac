import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import { fakeTailscale, temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { instancePath } from "../src/instance-file.ts";
import { runGateway } from "../src/run-gateway.ts";
import { refusedGateway, runningGateway } from "./running-gateway.ts";

const flags = { token: "a-token-of-the-failed-start-tests" };

test("a start that is refused for an option lets go of the state at once", async () => {
  await using home = await temporaryDirectory();
  const refused = await refusedGateway({
    home,
    flags,
    config: { gateway: { mode: "local", trustedProxies: ["0.0.0.0/0"] } },
  });
  expect(refused).toMatchObject({ code: 78, stderr: expect.stringContaining("trustedProxies[0]") });
  const again = await runningGateway({ home, flags, config: { gateway: { mode: "local" } } });
  again.signal();
  expect(await again.exitCode).toBe(0);
});

test("a stop while Tailscale is waited for ends the Gateway, and nothing listens any more", async () => {
  await using home = await temporaryDirectory();
  await using tailscale = await fakeTailscale({ backendState: "Starting" });
  const { io, out, signal } = createMemoryIo({ home: home.path, env: tailscale.env });
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  const exitCode = runGateway({ flags: { ...flags, port: "0", tailscale: "serve" }, io, paths });
  // Once to know the machine's name, and then to know whether it is up.
  await expect
    .poll(() => tailscale.calls().filter(([word]) => word === "status").length, { timeout: 20_000 })
    .toBeGreaterThan(1);
  signal();
  expect(await exitCode).toBe(0);
  expect(out.stderr).not.toContain("Abort");
  // It has let go of the state.
  const next = await runningGateway({ home, flags });
  next.signal();
  expect(await next.exitCode).toBe(0);
});

test("a start that fails at its last step leaves neither a listener nor a route", async () => {
  await using home = await temporaryDirectory();
  await using tailscale = await fakeTailscale();
  const { io } = createMemoryIo({ home: home.path, env: tailscale.env });
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  // Where the file is to be, something else is that cannot be replaced.
  await mkdir(instancePath(paths.stateDir), { recursive: true });
  const input = { flags: { ...flags, port: "0", tailscale: "serve" }, io, paths };
  const failed = await runGateway(input).catch((error: unknown) => error);
  expect(failed).not.toBe(0);
  expect(tailscale.tableText()).not.toContain("127.0.0.1");
});

test("a route that is not to stay goes also when a restart fails", async () => {
  await using home = await temporaryDirectory();
  await using tailscale = await fakeTailscale();
  const { io, out, restart } = createMemoryIo({ home: home.path, env: tailscale.env });
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  await mkdir(dirname(paths.configPath), { recursive: true });
  await writeFile(paths.configPath, '{ "gateway": { "mode": "local" } }', { mode: 0o600 });
  const ready = Promise.withResolvers<unknown>();
  const exitCode = runGateway({
    flags: { ...flags, port: "0", tailscale: "serve", tailscaleResetOnExit: true },
    io,
    paths,
    onReady: ready.resolve,
  });
  await ready.promise;
  expect(tailscale.tableText()).toContain("127.0.0.1");
  await writeFile(paths.configPath, '{ "gateway": { "mode": "remote" } }');
  restart();
  expect(await exitCode).not.toBe(0);
  expect(out.stderr).toContain("Gateway not started");
  expect(tailscale.tableText()).not.toContain("127.0.0.1");
});
