import { expect, test } from "vitest";
import { createTailscale } from "../../src/tailscale/create-tailscale.ts";
import { failureOf, HOST, setUpBench } from "./support.ts";

test("status tells the machine's name, addresses, tailnet, version and warnings", async () => {
  await using bench = await setUpBench({ isNoisy: true, health: ["not connected to home DERP"] });
  expect(await bench.tailscale.status()).toEqual({
    isInstalled: true,
    program: bench.fake.program,
    version: "1.96.4",
    state: "Running",
    dnsName: HOST,
    addresses: ["100.101.102.103", "fd7a:115c:a1e0::6667"],
    tailnet: "me@example.com",
    isHttpsEnabled: true,
    isFunnelEnabled: true,
    health: ["not connected to home DERP"],
  });
  expect(bench.lines()).toEqual(["status --json"]);
});

test.each([
  [{ backendState: "NeedsLogin" }, "TAILSCALE_NEEDS_LOGIN"],
  [{ backendState: "NeedsMachineAuth" }, "TAILSCALE_NOT_APPROVED"],
  [{ backendState: "Stopped" }, "TAILSCALE_NOT_RUNNING"],
  [{ backendState: "InUseOtherUser" }, "TAILSCALE_NOT_RUNNING"],
  [{ startsAfter: 1 }, "TAILSCALE_STARTING"],
  [{ isDaemonRunning: false }, "TAILSCALE_NOT_RUNNING"],
  [{ dnsName: "" }, "TAILSCALE_NO_DNS_NAME"],
  [{ dnsName: "box; reboot." }, "TAILSCALE_NO_DNS_NAME"],
  [{ dnsName: "--help." }, "TAILSCALE_NO_DNS_NAME"],
  [{ faults: [{ on: "status", kind: "garbage" as const }] }, "TAILSCALE_BAD_OUTPUT"],
  [{ faults: [{ on: "status", kind: "hang" as const }] }, "TAILSCALE_TIMEOUT"],
])("status with %j names the problem %s, and does not reject", async (options, code) => {
  await using bench = await setUpBench(options, { limits: { readMs: 2_000 } });
  const status = await bench.tailscale.status();
  expect(status).toMatchObject({ isInstalled: true, version: "1.96.4", problem: { code } });
  await expect.poll(() => bench.fake.isBusy()).toBe(false);
});

test("status tells where to log in", async () => {
  await using bench = await setUpBench({ backendState: "NeedsLogin" });
  expect(await bench.tailscale.status()).toMatchObject({
    state: "NeedsLogin",
    loginUrl: "https://login.tailscale.com/a/0123456789",
  });
});

test("status tells what the tailnet does not give", async () => {
  await using bench = await setUpBench({ isHttpsEnabled: false, isFunnelEnabled: false });
  expect(await bench.tailscale.status()).toMatchObject({
    isHttpsEnabled: false,
    isFunnelEnabled: false,
  });
});

test("a tailnet with more peers than the limit holds is asked about this machine alone", async () => {
  await using bench = await setUpBench();
  bench.fake.fail({ on: "status --json", kind: "flood", times: 1 });
  expect(await bench.tailscale.status()).toMatchObject({ state: "Running", dnsName: HOST });
  expect(bench.lines()).toEqual(["status --json", "status --json --peers=false"]);
});

test("a program that does not tell its version in time may do so the next time", async () => {
  await using bench = await setUpBench({}, { limits: { versionMs: 3_000 } });
  bench.fake.fail({ on: "--version", kind: "hang", times: 1 });
  const { recordPath, tailscale } = bench;
  const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
  expect(error).toMatchObject({
    code: "TAILSCALE_TIMEOUT",
    message: "tailscale --version did not end within 3 s",
  });
  expect(await tailscale.status()).toMatchObject({ isInstalled: true, state: "Running" });
  await expect.poll(() => bench.fake.isBusy()).toBe(false);
});

test("a program that fails when it is asked for its version is none", async () => {
  await using bench = await setUpBench();
  bench.fake.fail({ on: "--version", kind: "fail", text: "Segmentation fault" });
  expect(await bench.tailscale.status()).toMatchObject({
    isInstalled: false,
    problem: {
      code: "TAILSCALE_NOT_INSTALLED",
      message: `the tailscale program ${bench.fake.program} is missing or does not work`,
    },
  });
});

test("a path that is not absolute is refused: it would be looked for in PATH", () => {
  expect(() => createTailscale({ env: {}, program: "tailscale" })).toThrow(TypeError);
});
