import fc from "fast-check";
import { expect, test } from "vitest";
import { isLoopbackHost, isPlaintextHost, normalizeGatewayUrl } from "./gateway-url.ts";

// A night runs a million: OPENCLAW_FUZZ_RUNS.
const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);

test.each([
  ["ws://127.0.0.1", "ws://127.0.0.1:18789"],
  ["ws://127.0.0.1:18790", "ws://127.0.0.1:18790"],
  // An explicit port 80 is what the user asked for, and stays to be seen.
  ["ws://h.local:80/", "ws://h.local:80"],
  ["ws://h.local:080/base?a=b", "ws://h.local:80/base?a=b"],
  ["ws://[::1]", "ws://[::1]:18789"],
  ["ws://[::1]:80", "ws://[::1]:80"],
  ["wss://gateway.example", "wss://gateway.example"],
  ["wss://gateway.example:443/base/path", "wss://gateway.example/base/path"],
  ["wss://h/ctx/?a=b#c", "wss://h/ctx/?a=b"],
  ["  WS://Host.local  ", "ws://host.local:18789"],
])("%s is written as %s", (text, expected) => {
  expect(normalizeGatewayUrl(text, "cli --url")).toBe(expected);
  expect(normalizeGatewayUrl(expected, "cli --url")).toBe(expected);
});

test.each([
  "",
  "127.0.0.1:18789",
  "http://h",
  "https://h",
  "ftp://h",
  "ws://user:pass@h",
  "ws://",
  "wss://h/?token=pass@x",
  "wss://h/#password=pass@x",
])("%j is refused, and the message does not repeat it", (text) => {
  expect(() => normalizeGatewayUrl(text, "cli --url")).toThrow(
    expect.objectContaining({
      code: "INVALID_URL",
      message: expect.not.stringContaining("pass@"),
    }),
  );
});

test.each([
  ["localhost", true],
  ["LOCALHOST.", true],
  ["127.8.9.1", true],
  ["[::1]", true],
  ["[::ffff:7f00:1]", true],
  ["[fe80::1]", true],
  ["[fd7a:115c:a1e0::1]", true],
  ["[fc00::1]", true],
  ["[fec0::1]", false],
  ["10.1.2.3", true],
  ["172.16.0.1", true],
  ["172.32.0.1", false],
  ["192.168.0.9", true],
  ["169.254.1.1", true],
  ["100.64.0.1", true],
  ["100.128.0.1", false],
  ["printer.local", true],
  ["host.tail1234.ts.net", true],
  ["evil-ts.net", false],
  ["ts.net.evil.example", false],
  ["8.8.8.8", false],
  ["10.evil.example", false],
  ["[2001:db8::1]", false],
  ["[::ffff:808:808]", false],
])("plaintext to %s is allowed: %j", (host, isAllowed) => {
  expect(isPlaintextHost(host)).toBe(isAllowed);
});

test.each([
  ["localhost", true],
  ["127.0.0.2", true],
  ["[::1]", true],
  ["[::ffff:7f00:1]", true],
  ["127.evil.example", false],
  ["localhost.evil.example", false],
  ["10.0.0.1", false],
])("%s is this machine: %j", (host, isLoopback) => {
  expect(isLoopbackHost(host)).toBe(isLoopback);
});

test("normalising twice changes nothing for a URL with a port", () => {
  const path = fc.stringMatching(/^(?:\/[a-z0-9]{0,5}){0,3}$/u);
  fc.assert(
    fc.property(
      fc.constantFrom("ws", "wss"),
      fc.integer({ min: 1, max: 65_535 }),
      path,
      (s, p, rest) => {
        fc.pre(!(s === "ws" && p === 80));
        const once = normalizeGatewayUrl(`${s}://h:${p}${rest}`, "x");
        expect(normalizeGatewayUrl(once, "x")).toBe(once);
        const scheme = s === "ws" ? 80 : 443;
        expect(Number(new URL(once).port || scheme)).toBe(p);
      },
    ),
  );
});

/** Pieces that URLs are made of, in any order. */
const urlish = fc
  .array(
    fc.oneof(
      fc.constantFrom("ws:", "wss:", "http:", "//", "/", "@", ":", "?", "#", "[", "]", "%", "80"),
      fc.constantFrom("localhost", "127.0.0.1", "::1", "gw.example", "token=", "me:secret", "\\"),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 10 },
  )
  .map((pieces) => pieces.join(""));

test("any text is a URL in one form, or is refused with INVALID_URL", () => {
  fc.assert(
    fc.property(fc.oneof(urlish, fc.string({ unit: "binary" }), fc.webUrl()), (text) => {
      let url;
      try {
        url = normalizeGatewayUrl(text, "x");
      } catch (error) {
        expect(error).toMatchObject({ code: "INVALID_URL" });
        expect(String(error)).not.toContain("secret");
        return;
      }
      expect(normalizeGatewayUrl(url, "x")).toBe(url);
      expect(new URL(url)).toMatchObject({ username: "", password: "", hash: "" });
    }),
    { numRuns },
  );
});
