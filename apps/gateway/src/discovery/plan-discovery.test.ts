import { expect, test } from "vitest";
import { type DiscoveryQuestion, planDiscovery } from "./plan-discovery.ts";

const atHome: DiscoveryQuestion = {
  config: {},
  env: {},
  profile: undefined,
  hosts: ["0.0.0.0"],
  port: 18_789,
  machineName: "studio.local",
  machineAddresses: ["192.168.1.20", "fe80::1"],
  isContainer: false,
};

const mode = (value: "off" | "minimal" | "full") => ({ discovery: { mdns: { mode: value } } });

test("a Gateway at home that listens on the LAN is announced, without a word on SSH", () => {
  expect(planDiscovery(atHome)).toEqual({
    announced: true,
    facts: {
      displayName: "studio",
      hostLabel: "openclaw",
      port: 18_789,
      tls: undefined,
      tailnetDns: undefined,
      addresses: ["192.168.1.20"],
      ssh: undefined,
    },
  });
});

test.each<[string, Partial<DiscoveryQuestion>, RegExp]>([
  ["on loopback", { hosts: ["127.0.0.1", "::1"] }, /listens on no address/],
  ["on loopback, in mode minimal", { hosts: ["127.0.0.1"], config: mode("minimal") }, /no address/],
  ["on the tailnet only", { hosts: ["100.64.0.7", "127.0.0.1"] }, /listens on no address/],
  ["on a server", { machineAddresses: ["10.0.0.5", "203.0.113.9"] }, /public address/],
  ["on a server by IPv6", { machineAddresses: ["10.0.0.5", "2001:db8::1"] }, /public address/],
  ["in a container", { isContainer: true }, /container/],
  ["with mode off", { config: mode("off") }, /discovery\.mdns\.mode is off/],
  ["with the switch", { env: { OPENCLAW_DISABLE_BONJOUR: "1" } }, /OPENCLAW_DISABLE_BONJOUR/],
  [
    "with the switch, in mode full",
    { env: { OPENCLAW_DISABLE_BONJOUR: "1" }, config: mode("full") },
    /OPENCLAW_DISABLE_BONJOUR/,
  ],
])("pain 24: a Gateway %s is not announced", (_where, change, reason) => {
  expect(planDiscovery({ ...atHome, ...change })).toEqual({
    announced: false,
    reason: expect.stringMatching(reason) as string,
  });
});

test.each<[string, Partial<DiscoveryQuestion>]>([
  ["a mode in the config", { config: mode("minimal") }],
  ["OPENCLAW_DISABLE_BONJOUR=0", { env: { OPENCLAW_DISABLE_BONJOUR: "0" } }],
])("%s announces also on a server and in a container", (_what, change) => {
  const server = { machineAddresses: ["10.0.0.5", "203.0.113.9"], isContainer: true };
  expect(planDiscovery({ ...atHome, ...server, ...change })).toMatchObject({ announced: true });
});

test("mode full tells the way in by SSH, also of a Gateway on loopback", () => {
  const question = {
    ...atHome,
    hosts: ["127.0.0.1"],
    config: mode("full"),
    env: { OPENCLAW_SSH_PORT: "2222" },
    cliPath: "/usr/bin/openclaw",
  };
  expect(planDiscovery(question)).toMatchObject({
    facts: {
      ssh: { port: 2222, cliPath: "/usr/bin/openclaw" },
      addresses: ["192.168.1.20", "fe80::1"],
    },
  });
});

test("the environment names host, tailnet name and program, and the profile is part of the name", () => {
  const question = {
    ...atHome,
    profile: "dev",
    config: mode("full"),
    tailnetDns: "known.tail.ts.net",
    tls: { fingerprint: "AB:CD" },
    env: {
      OPENCLAW_MDNS_HOSTNAME: "Attic.example",
      OPENCLAW_TAILNET_DNS: "studio.tail.ts.net",
      OPENCLAW_CLI_PATH: "/opt/openclaw",
    },
  };
  expect(planDiscovery(question)).toMatchObject({
    facts: {
      displayName: "studio dev",
      hostLabel: "attic",
      tailnetDns: "studio.tail.ts.net",
      tls: { fingerprint: "AB:CD" },
      ssh: { port: 22, cliPath: "/opt/openclaw" },
    },
  });
});

test("of a certificate only the fingerprint is passed on, never its key", () => {
  const certificate = { fingerprint: "AB:CD", key: "PRIVATE KEY", cert: "CERTIFICATE" };
  const plan = planDiscovery({ ...atHome, tls: certificate });
  expect(plan).toMatchObject({ facts: { tls: { fingerprint: "AB:CD" } } });
  expect(JSON.stringify(plan)).not.toMatch(/PRIVATE KEY|CERTIFICATE/);
});
