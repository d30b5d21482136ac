import { createServer } from "node:net";
import { once } from "node:events";
import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { isBindable } from "./is-bindable.ts";
import { lanAddresses } from "./lan-addresses.ts";
import { isTailnetIpv4, isTailnetIpv6, tailnetAddresses } from "./tailnet-addresses.ts";

function info(address: string, internal = false): NetworkInterfaceInfo {
  const base = { address, internal, netmask: "", mac: "", cidr: null };
  return address.includes(":")
    ? { ...base, family: "IPv6", scopeid: 0 }
    : { ...base, family: "IPv4" };
}

const lo = [info("127.0.0.1", true), info("::1", true)];

test("the addresses in the tailnet are found without asking Tailscale", () => {
  expect(
    tailnetAddresses({
      lo,
      eth0: [info("192.168.1.9"), info("fd00::9")],
      tailscale0: [info("100.101.102.103"), info("fd7a:115c:a1e0::5"), info("fe80::1")],
      utun7: [info("100.99.1.1")],
    }),
  ).toEqual({ ipv4: "100.101.102.103", ipv6: "fd7a:115c:a1e0::5" });
});

test("an address of the carrier is not taken for that of the tailnet", () => {
  expect(
    tailnetAddresses({
      wan: [info("100.72.0.3")],
      utun3: [info("100.80.0.4"), info("fd7a:115c:a1e0::4")],
    }),
  ).toMatchObject({ ipv4: "100.80.0.4" });
});

test("a machine outside any tailnet has no such addresses", () => {
  expect(
    tailnetAddresses({ lo: [info("100.100.100.100", true)], eth0: [info("10.0.0.1")] }),
  ).toEqual({});
});

test.each([
  ["100.63.255.255", false],
  ["100.64.0.0", true],
  ["100.127.255.255", true],
  ["100.128.0.0", false],
  ["101.64.0.1", false],
  ["fd7a:115c:a1e0::1", false],
])("%s as a tailnet's IPv4: %s", (address, expected) => {
  expect(isTailnetIpv4(address)).toBe(expected);
});

test.each([
  ["fd7a:115c:a1e0:ab12::1", true],
  ["FD7A:115C:A1E0::1", true],
  ["fd7a:115c:a1e1::1", false],
  ["fe80::1", false],
])("%s as a tailnet's IPv6: %s", (address, expected) => {
  expect(isTailnetIpv6(address)).toBe(expected);
});

test("addresses for others in the network come without those that mean nothing to them", () => {
  expect(
    lanAddresses({
      lo,
      docker0: [info("172.17.0.1")],
      eth0: [info("2001:db8::9"), info("203.0.113.9"), info("fe80::9"), info("192.168.1.9")],
      eth1: [info("169.254.3.4"), info("fd00::9")],
      tailscale0: [info("100.101.102.103"), info("fd7a:115c:a1e0::5")],
    }),
  ).toEqual(["192.168.1.9", "203.0.113.9", "fd00::9", "2001:db8::9", "172.17.0.1"]);
});

test.each(["127.0.0.1", "0.0.0.0"])("%s can be listened on", async (address) => {
  await expect(isBindable(address)).resolves.toBe(true);
});

test.each(["192.0.2.7", "2001:db8::7", "localhost", "", "127.0.0.1:80", "256.0.0.1"])(
  "%j cannot be listened on",
  async (address) => {
    await expect(isBindable(address)).resolves.toBe(false);
  },
);

test("asking leaves no listener behind, and other listeners do not matter", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  await expect(isBindable("127.0.0.1")).resolves.toBe(true);
  server.close();
  await once(server, "close");
});
