import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAddressList, isLoopback } from "./address-list.ts";
import { type Attribution, type ProxyTrust, attribute } from "./peer-address.ts";

type Headers = Record<string, string | undefined>;

/** All that is read of a request here. */
function request(remoteAddress: string, headers: Headers = {}): IncomingMessage {
  const present = Object.entries({ host: "127.0.0.1:18789", ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const lower = present.map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    socket: { remoteAddress },
    headers: Object.fromEntries(lower),
    headersDistinct: Object.fromEntries(lower.map(([name, value]) => [name, [value]])),
  } as unknown as IncomingMessage;
}

function trust(proxies: string[] = [], more: Partial<ProxyTrust> = {}): ProxyTrust {
  return {
    trustedProxies: createAddressList("trustedProxies", proxies),
    allowRealIpFallback: false,
    isBehindTailscale: false,
    identityHeaders: new Set(),
    ...more,
  };
}

const of = (attribution: Attribution): object =>
  attribution.ok
    ? { address: attribution.origin.address, via: attribution.origin.via }
    : { refused: attribution.problem };

const isLocal = (attribution: Attribution): boolean => attribution.ok && attribution.origin.isLocal;

test("this machine is 127.0.0.0/8 and ::1, however the socket writes it", () => {
  for (const address of ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
    expect(isLocal(attribute(request(address), trust()))).toBe(true);
  for (const address of ["10.0.0.1", "::ffff:10.0.0.1", "::2", "fe80::1%eth0", "0.0.0.0"])
    expect(isLocal(attribute(request(address), trust()))).toBe(false);
  expect(isLoopback(undefined)).toBe(false);
  expect(isLoopback("127.0.0.1.evil.example")).toBe(false);
});

test.each([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-real-ip",
  "tailscale-user-login",
])(
  "a request with %s of somebody who is not trusted is refused, wherever it comes from",
  (name) => {
    for (const address of ["127.0.0.1", "192.0.2.7"])
      expect(of(attribute(request(address, { [name]: "192.0.2.7" }), trust()))).toEqual({
        refused: "untrusted",
      });
  },
);

test.each(["via", "cf-connecting-ip", "true-client-ip", "x-original-forwarded-for", "x-client-ip"])(
  "a request with %s was relayed, and is not local",
  (name) => {
    const attribution = attribute(request("127.0.0.1", { [name]: "1.1 cdn" }), trust());
    expect(of(attribution)).toEqual({ address: "127.0.0.1", via: "direct" });
    expect(isLocal(attribution)).toBe(false);
  },
);

test("a proxy that adds no header is given away by the name that its client asked for", () => {
  for (const host of [
    "claw.example",
    "claw.example:443",
    "localhost.evil.example",
    "192.0.2.1",
    "",
  ])
    expect(isLocal(attribute(request("127.0.0.1", { host }), trust()))).toBe(false);
  for (const host of ["localhost:1", "LOCALHOST", "127.0.0.1:18789", "[::1]:18789", "localhost."])
    expect(isLocal(attribute(request("127.0.0.1", { host }), trust()))).toBe(true);
});

describe("behind trusted proxies", () => {
  const proxies = trust(["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"]);
  test.each([
    ["203.0.113.9", "203.0.113.9"],
    ["198.51.100.1, 203.0.113.9", "203.0.113.9"],
    ["127.0.0.1, 203.0.113.9, 10.1.1.1", "203.0.113.9"],
    ["10.0.0.5, 10.0.0.6", "10.0.0.5"],
    ["203.0.113.9:4711", "203.0.113.9"],
    ["[2001:db9::7]:443", "2001:db9::7"],
    ["2001:DB9:0:0::7, 2001:db8::1", "2001:db9::7"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["nonsense, 203.0.113.9", "203.0.113.9"],
  ])(
    "X-Forwarded-For: %s names %s, the right-most that is not a proxy of ours",
    (value, address) => {
      const attribution = attribute(request("10.0.0.2", { "x-forwarded-for": value }), proxies);
      expect(of(attribution)).toEqual({ address, via: "proxy" });
    },
  );

  test.each([
    ["for=203.0.113.9", "203.0.113.9"],
    ['for=198.51.100.1, FOR="203.0.113.9:80";proto=https', "203.0.113.9"],
    ['for=203.0.113.9, for="[2001:db8::1]:443"', "203.0.113.9"],
    ['by="a,b;for=1.1.1.1";for=203.0.113.9', "203.0.113.9"],
  ])("Forwarded: %s names %s", (value, address) => {
    const attribution = attribute(request("10.0.0.2", { forwarded: value }), proxies);
    expect(of(attribution)).toEqual({ address, via: "proxy" });
  });

  test.each([
    [{ "x-forwarded-for": "" }, "malformed"],
    [{ "x-forwarded-for": "203.0.113.9, nonsense" }, "malformed"],
    [{ "x-forwarded-for": "203.0.113.9," }, "malformed"],
    [{ "x-forwarded-for": "0x7f.1" }, "malformed"],
    [{ "x-forwarded-for": "unknown" }, "unknown"],
    [{ forwarded: "for=_hidden" }, "unknown"],
    [{ forwarded: "proto=https" }, "unknown"],
    [{ forwarded: 'for="203.0.113.9' }, "malformed"],
    [{ forwarded: "for=203.0.113.9;for=127.0.0.1" }, "malformed"],
    [{ forwarded: "for=203.0.113.9", "x-forwarded-for": "203.0.113.8" }, "contradiction"],
    [{ forwarded: "nonsense", "x-forwarded-for": "203.0.113.8" }, "unknown"],
    [{ "x-forwarded-proto": "https" }, "unknown"],
    [{ "x-real-ip": "203.0.113.9" }, "unknown"],
  ])("%j names nobody: %s", (headers: Headers, refused) => {
    expect(of(attribute(request("10.0.0.2", headers), proxies))).toEqual({ refused });
  });

  test("X-Real-IP counts where it is allowed and nothing else is there", () => {
    const allowed = { ...proxies, allowRealIpFallback: true };
    const headers = { "x-real-ip": "203.0.113.9" };
    expect(of(attribute(request("10.0.0.2", headers), allowed))).toEqual({
      address: "203.0.113.9",
      via: "proxy",
    });
    const both = { ...headers, "x-forwarded-for": "203.0.113.8" };
    expect(of(attribute(request("10.0.0.2", both), allowed))).toMatchObject({
      address: "203.0.113.8",
    });
    expect(of(attribute(request("10.0.0.2", { "x-real-ip": "x" }), allowed))).toEqual({
      refused: "malformed",
    });
  });

  test("nobody is local, also where the proxy is on this machine and names this machine", () => {
    const attribution = attribute(
      request("127.0.0.1", { "x-forwarded-for": "127.0.0.1" }),
      proxies,
    );
    expect(of(attribution)).toEqual({ address: "127.0.0.1", via: "proxy" });
    expect(isLocal(attribution)).toBe(false);
  });

  test("a program of the machine that the proxy runs on, too, comes past the proxy", () => {
    expect(isLocal(attribute(request("127.0.0.1"), proxies))).toBe(true);
    expect(of(attribute(request("10.0.0.2"), proxies))).toEqual({
      address: "10.0.0.2",
      via: "proxy",
    });
  });

  test("a header that names the user is one that only a proxy sets", () => {
    const named = { ...proxies, identityHeaders: new Set(["remote-user"]) };
    const headers = { "remote-user": "ada" };
    expect(of(attribute(request("192.0.2.7", headers), named))).toEqual({ refused: "untrusted" });
    expect(of(attribute(request("127.0.0.1", headers), named))).toEqual({ refused: "unknown" });
  });
});

describe("behind Tailscale on this machine", () => {
  const tailnet = trust([], { isBehindTailscale: true });
  const served = {
    "x-forwarded-for": "100.101.102.103",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "box.tail1234.ts.net",
  };
  test("its headers name the client, and say whether it came over Funnel", () => {
    expect(of(attribute(request("127.0.0.1", served), tailnet))).toEqual({
      address: "100.101.102.103",
      via: "serve",
    });
    const funnel = { ...served, "tailscale-funnel-request": "?1" };
    expect(of(attribute(request("::1", funnel), tailnet))).toMatchObject({ via: "funnel" });
    expect(isLocal(attribute(request("127.0.0.1", served), tailnet))).toBe(false);
  });

  test("headers that it never writes so are another proxy's", () => {
    for (const more of [
      { "x-forwarded-for": "100.101.102.103, 203.0.113.9" },
      { "x-forwarded-for": undefined },
      { forwarded: "for=100.101.102.103" },
      { "x-real-ip": "100.101.102.103" },
    ])
      expect(attribute(request("127.0.0.1", { ...served, ...more }), tailnet).ok).toBe(false);
    expect(of(attribute(request("192.0.2.7", served), tailnet))).toEqual({ refused: "untrusted" });
  });

  test("another trusted proxy on the same machine is told apart by Tailscale's marks", () => {
    const both = { ...tailnet, ...trust(["127.0.0.1"]), isBehindTailscale: true };
    expect(of(attribute(request("127.0.0.1", served), both))).toMatchObject({ via: "proxy" });
    const marked = { ...served, "tailscale-headers-info": "https://tailscale.com/s/serve-headers" };
    expect(of(attribute(request("127.0.0.1", marked), both))).toMatchObject({ via: "serve" });
  });
});

describe("whatever the headers say", () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom("127.0.0.1", "::1", "unknown", ""),
  );
  const node = fc.oneof(
    address,
    address.map((text) => `for=${text}`),
    address.map((text) => `for="[${text}]:80"`),
    fc.string(),
  );
  const value = fc.oneof(
    fc.array(node, { maxLength: 5 }).map((nodes) => nodes.join(",")),
    fc.string(),
  );
  const name = fc.constantFrom(
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "tailscale-user-login",
    "tailscale-funnel-request",
    "via",
    "host",
    "remote-user",
    "origin",
  );
  const headers = fc.dictionary(name, value);
  const trusts = fc.record({
    proxies: fc.subarray(["127.0.0.1", "::1", "10.0.0.0/8", "192.0.2.0/24", "fd00::/8"]),
    allowRealIpFallback: fc.boolean(),
    isBehindTailscale: fc.boolean(),
    identityHeaders: fc.constantFrom(new Set<string>(), new Set(["remote-user"])),
  });
  // A nightly run asks for a million.
  const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);
  const timeout = 30_000 + numRuns;

  test("a client outside is never local, and nothing crashes", { timeout }, () => {
    const outside = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => !/^127\.|^::1$/.test(text));
    fc.assert(
      fc.property(outside, headers, trusts, (remote, sent, { proxies, ...more }) => {
        expect(isLocal(attribute(request(remote, sent), trust(proxies, more)))).toBe(false);
      }),
      { numRuns },
    );
  });

  test(
    "a client behind a proxy on this machine is never local, if the proxy adds what proxies add",
    { timeout },
    () => {
      const added = fc.constantFrom("x-forwarded-for", "forwarded", "x-real-ip");
      fc.assert(
        fc.property(headers, added, address, trusts, (sent, mark, client, { proxies, ...more }) => {
          const seen = attribute(
            request("127.0.0.1", { ...sent, [mark]: client }),
            trust(proxies, more),
          );
          expect(isLocal(seen)).toBe(false);
        }),
        { numRuns },
      );
    },
  );

  test("an address that is attributed is one that the right-most hop wrote", { timeout }, () => {
    fc.assert(
      fc.property(value, fc.ipV4(), (sent, client) => {
        fc.pre(!client.startsWith("10."));
        const seen = attribute(
          request("10.0.0.2", { "x-forwarded-for": sent === "" ? client : `${sent}, ${client}` }),
          trust(["10.0.0.2"]),
        );
        expect(of(seen)).toEqual({ address: client, via: "proxy" });
      }),
      { numRuns },
    );
  });
});

describe("the list of trusted proxies", () => {
  test("holds addresses and ranges of both families", () => {
    const list = createAddressList("trustedProxies", [
      "10.0.0.0/8",
      "192.0.2.1",
      "fd00::/8",
      "::1",
    ]);
    for (const address of ["10.255.0.1", "192.0.2.1", "::ffff:10.0.0.1", "fd12::1", "::1"])
      expect(list.has(address)).toBe(true);
    for (const address of ["11.0.0.1", "192.0.2.2", "fe80::1", "::2", "nonsense", undefined])
      expect(list.has(address)).toBe(false);
  });

  test.each([
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0",
    "proxy.example",
    "",
    "0.0.0.0/0",
    "::/0",
    "fd00::/129",
    "::ffff:10.0.0.0/104",
  ])("refuses %j, naming it", (entry) => {
    expect(() => createAddressList("trustedProxies", ["127.0.0.1", entry])).toThrow(
      expect.objectContaining({
        code: "OPTIONS_INVALID",
        message: expect.stringContaining(`trustedProxies[1] is ${JSON.stringify(entry)}`),
      }),
    );
  });
});
