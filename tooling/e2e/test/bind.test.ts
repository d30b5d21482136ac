import type { TestProcess } from "@openclaw/testkit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createMachine, type Machine, whyNoNamespaces } from "../src/network/namespaces.ts";
import { createProgramHome, type ProgramHome } from "../src/program/program-home.ts";

// Where a Gateway listens, and who reaches it there: with interfaces, addresses and neighbours of
// its own, and a machine on either side of it.

const TOKEN = "a-token-of-the-bind-tests";
/** Nobody else is in these networks, so that it may be the usual one. */
const PORT = 18_789;
const UP_MS = 30_000;
// Processes are slow to start on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const TAILNET = ["100.101.102.103", "fd7a:115c:a1e0::103"];
const LAN = ["192.168.77.1", "fd00:77::1"];

const obstacle = await whyNoNamespaces();
if (obstacle !== undefined) process.stderr.write(`bind.test.ts: skipped, ${obstacle}\n`);

/** The Gateway's machine between a neighbour in the LAN and one in the tailnet. */
interface Site {
  readonly host: Machine;
  readonly lan: Machine;
  readonly tailnet: Machine;
}

let site: Site;

beforeAll(async () => {
  if (obstacle !== undefined) return;
  const [host, lan, tailnet] = await Promise.all([
    createMachine(),
    createMachine(),
    createMachine(),
  ]);
  await host.cable("eth0", lan, "eth0");
  await host.cable("tailscale0", tailnet, "tailscale0");
  await Promise.all([
    host.address("eth0", "192.168.77.1/24", "fd00:77::1/64"),
    host.address("tailscale0", "100.101.102.103/10", "fd7a:115c:a1e0::103/64"),
    lan.address("eth0", "192.168.77.2/24", "fd00:77::2/64"),
    tailnet.address("tailscale0", "100.101.102.104/10", "fd7a:115c:a1e0::104/64"),
  ]);
  // Whoever is on a cable can send packets for any address that the machine has, and it takes them.
  await Promise.all([
    lan.route("100.64.0.0/10", "192.168.77.1"),
    lan.route("fd7a:115c:a1e0::/48", "fd00:77::1"),
  ]);
  site = { host, lan, tailnet };
});

afterAll(async () => {
  if (obstacle !== undefined) return;
  await Promise.all(Object.values(site).map((machine: Machine) => machine[Symbol.asyncDispose]()));
});

async function gatewayOf(
  machine: Machine,
  gateway: object,
  args: readonly string[] = [],
): Promise<{ home: ProgramHome; child: TestProcess }> {
  const home = await createProgramHome();
  await home.writeConfig({
    gateway: { mode: "local", auth: { token: TOKEN }, ...gateway },
    discovery: { mdns: { mode: "off" } },
  });
  const { within } = machine;
  return { home, child: home.start(["gateway", "run", ...args], { within }) };
}

interface Case {
  readonly name: string;
  readonly gateway: object;
  readonly args?: readonly string[];
  readonly listens: readonly string[];
  readonly lan: readonly string[];
  readonly tailnet: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: "no bind: loopback, and nobody else",
    gateway: {},
    listens: ["127.0.0.1", "[::1]"],
    lan: [],
    tailnet: [],
  },
  {
    name: "bind auto: loopback, and nobody else",
    gateway: { bind: "auto" },
    listens: ["127.0.0.1", "[::1]"],
    lan: [],
    tailnet: [],
  },
  {
    name: "bind tailnet: the tailnet's addresses and loopback, and not the LAN",
    gateway: { bind: "tailnet" },
    listens: ["100.101.102.103", "127.0.0.1", "[fd7a:115c:a1e0::103]"],
    lan: [],
    tailnet: TAILNET,
  },
  {
    name: "bind lan: every address, IPv4 and IPv6",
    gateway: { bind: "lan" },
    listens: ["0.0.0.0", "[::]"],
    lan: [...LAN, ...TAILNET],
    tailnet: TAILNET,
  },
  {
    name: "bind custom with an IPv4 address: that and loopback",
    gateway: { bind: "custom", customBindHost: "192.168.77.1" },
    listens: ["127.0.0.1", "192.168.77.1"],
    lan: ["192.168.77.1"],
    tailnet: [],
  },
  {
    name: "bind custom with an IPv6 address: that and loopback",
    gateway: { bind: "custom", customBindHost: "fd00:77::1" },
    listens: ["127.0.0.1", "[fd00:77::1]"],
    lan: ["fd00:77::1"],
    tailnet: [],
  },
  {
    name: "bind custom with all IPv4 addresses: no IPv6",
    gateway: { bind: "custom", customBindHost: "0.0.0.0" },
    listens: ["0.0.0.0"],
    lan: ["192.168.77.1", "100.101.102.103"],
    tailnet: ["100.101.102.103"],
  },
  {
    name: "--bind loopback goes before gateway.bind lan",
    gateway: { bind: "lan" },
    args: ["--bind", "loopback"],
    listens: ["127.0.0.1", "[::1]"],
    lan: [],
    tailnet: [],
  },
];

describe.skipIf(obstacle !== undefined)("on a machine between a LAN and a tailnet", () => {
  test.each(cases)("$name", async ({ gateway, args, listens, lan, tailnet }) => {
    const { home, child } = await gatewayOf(site.host, gateway, args);
    await using _ = home;
    await child.line("Auth mode", { deadlineMs: UP_MS });

    expect(await site.host.listeners(PORT)).toEqual([...listens].sort());
    expect(await site.lan.reaches([...LAN, ...TAILNET], PORT)).toEqual(lan);
    expect(await site.tailnet.reaches([...LAN, ...TAILNET], PORT)).toEqual(tailnet);
    const health = await home.run(["health", "--json"], { within: site.host.within });
    expect(health).toMatchObject({ code: 0 });
    await child.stop();
  });

  test("bind custom takes an address, and starts with nothing else instead of a name", async () => {
    const custom = { bind: "custom", customBindHost: "gateway.example" };
    const { home, child } = await gatewayOf(site.host, custom);
    await using _ = home;

    expect((await child.exited).code).toBe(78);
    expect(child.stderr).toContain("gateway.customBindHost");
    expect(await site.host.listeners(PORT)).toEqual([]);
  });

  test("an address that the machine does not have is refused, and nothing listens", async () => {
    const custom = { bind: "custom", customBindHost: "192.168.77.9" };
    const { home, child } = await gatewayOf(site.host, custom);
    await using _ = home;

    expect((await child.exited).code).not.toBe(0);
    expect(child.stderr).toContain("192.168.77.9");
    expect(await site.host.listeners(PORT)).toEqual([]);
  });

  test.each(["lan", "tailnet", "custom"])(
    "bind %s without a secret is refused, and nothing listens",
    async (bind) => {
      const auth = { mode: "none" };
      const { home, child } = await gatewayOf(site.host, { bind, customBindHost: LAN[0], auth });
      await using _ = home;

      expect((await child.exited).code).toBe(78);
      expect(await site.host.listeners(PORT)).toEqual([]);
    },
  );
});

describe.skipIf(obstacle !== undefined)("on a machine that is not in its tailnet yet", () => {
  test("it is loopback alone, with a warning, until the address is there", async () => {
    await using host = await createMachine();
    await using peer = await createMachine();
    await host.cable("tailscale0", peer, "tailscale0");
    await peer.address("tailscale0", "100.101.102.104/10");
    const { home, child } = await gatewayOf(host, { bind: "tailnet" });
    await using _ = home;
    await child.line("Auth mode", { deadlineMs: UP_MS });

    expect(child.stderr).toContain("this machine has no tailnet address");
    expect(await host.listeners(PORT)).toEqual(["127.0.0.1"]);

    await host.address("tailscale0", "100.101.102.103/10");
    await child.line("the tailnet has an address here now", { deadlineMs: UP_MS });
    expect(await host.listeners(PORT)).toEqual(["100.101.102.103", "127.0.0.1"]);
    await vi.waitFor(async () =>
      expect(await peer.reaches(["100.101.102.103"], PORT)).toEqual(["100.101.102.103"]),
    );
  });

  test("a tailnet of IPv6 alone is one as well", async () => {
    await using host = await createMachine();
    await using peer = await createMachine();
    await host.cable("tailscale0", peer, "tailscale0");
    await host.address("tailscale0", "fd7a:115c:a1e0::103/64");
    await peer.address("tailscale0", "fd7a:115c:a1e0::104/64");
    const { home, child } = await gatewayOf(host, { bind: "tailnet" });
    await using _ = home;
    await child.line("Auth mode", { deadlineMs: UP_MS });

    expect(await host.listeners(PORT)).toEqual(["127.0.0.1", "[fd7a:115c:a1e0::103]"]);
    expect(await peer.reaches(["fd7a:115c:a1e0::103"], PORT)).toEqual(["fd7a:115c:a1e0::103"]);
  });

  test("without any interface but loopback, bind lan still answers this machine", async () => {
    await using host = await createMachine();
    const { home, child } = await gatewayOf(host, { bind: "lan" });
    await using _ = home;
    await child.line("Auth mode", { deadlineMs: UP_MS });

    expect(await home.run(["health"], { within: host.within })).toMatchObject({ code: 0 });
  });
});
