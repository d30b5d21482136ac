import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkGatewayUrl } from "./gateway-url.ts";

// A night runs a million: OPENCLAW_FUZZ_RUNS.
const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);

const PRIVATE = [
  "ws://127.0.0.1:18789",
  "ws://127.9.9.9",
  "ws://localhost:1",
  "ws://[::1]:18789",
  "ws://[::ffff:127.0.0.1]:18789",
  "ws://10.0.2.2",
  "ws://172.16.0.1",
  "ws://172.31.255.255",
  "ws://192.168.1.4",
  "ws://169.254.3.3",
  "ws://100.64.0.1",
  "ws://100.127.255.255",
  "ws://[fe80::1]",
  "ws://[fd7a:115c:a1e0::1]",
  "ws://workshop.local",
  "ws://workshop.local.",
  "ws://gateway.tail1234.ts.net",
];
const PUBLIC = [
  "ws://example.com",
  "ws://8.8.8.8",
  "ws://172.15.0.1",
  "ws://172.32.0.1",
  "ws://192.169.0.1",
  "ws://100.63.255.255",
  "ws://100.128.0.1",
  "ws://[2001:db8::1]",
  "ws://[::ffff:8.8.8.8]",
  "ws://evil-ts.net",
  "ws://local",
  "ws://127.0.0.1.example.com",
  "ws://localhost.example.com",
];

describe("plaintext", () => {
  test.each(PRIVATE)("may go to %s", (url) => {
    expect(checkGatewayUrl(url)).toMatchObject({ ok: true, address: { isTls: false } });
  });

  test.each(PUBLIC)("may not go to %s", (url) => {
    expect(checkGatewayUrl(url)).toMatchObject({
      ok: false,
      error: { code: "INSECURE_URL", final: true },
    });
  });

  test.each(PUBLIC)("may go to %s when that is allowed", (url) => {
    expect(checkGatewayUrl(url, { allowInsecure: true }).ok).toBe(true);
  });

  test("refused names the URL, its source, the config file and the cures", () => {
    const checked = checkGatewayUrl("ws://gw.example.com", {
      source: "config gateway.remote.url",
      configPath: "/home/u/.openclaw/openclaw.json",
    });
    expect.assert(!checked.ok);
    expect(checked.error.message).toContain("ws://gw.example.com:18789");
    expect(checked.error.message).toContain("config gateway.remote.url");
    expect(checked.error.message).toContain("/home/u/.openclaw/openclaw.json");
    for (const cure of [
      "wss://",
      "SSH tunnel",
      "Tailscale",
      "OPENCLAW_ALLOW_INSECURE_PRIVATE_WS",
    ]) {
      expect(checked.error.hint).toContain(cure);
    }
  });

  test("never goes to a public IPv4 address, whatever its octets", () => {
    const isPublic = ([a, b]: readonly number[]): boolean =>
      !(
        a === 10 ||
        a === 127 ||
        (a === 172 && b! >= 16 && b! <= 31) ||
        (a === 192 && b === 168) ||
        (a === 169 && b === 254) ||
        (a === 100 && b! >= 64 && b! <= 127)
      );
    const octet = fc.nat(255);
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), (octets) => {
        expect(checkGatewayUrl(`ws://${octets.join(".")}`).ok).toBe(!isPublic(octets));
      }),
    );
  });
});

describe("an address", () => {
  test.each([
    ["ws://127.0.0.1", "127.0.0.1:18789"],
    ["ws://127.0.0.1:80", "127.0.0.1:80"],
    ["wss://Gateway.Example.com", "gateway.example.com:443"],
    ["wss://gateway.example.com:80/base", "gateway.example.com:80"],
    ["ws://[::1]", "[::1]:18789"],
  ])("%s is the endpoint %s", (url, endpoint) => {
    expect(checkGatewayUrl(url)).toMatchObject({ ok: true, address: { endpoint } });
  });

  test("keeps its path and loses user, query and fragment", () => {
    expect(checkGatewayUrl("ws://u:p@127.0.0.1:1/base/path?token=secret#x")).toMatchObject({
      ok: true,
      address: { url: "ws://127.0.0.1:1/base/path", isLoopback: true },
    });
  });

  test.each(["", "127.0.0.1", "http://127.0.0.1", "ws://", "ws://a b"])(
    "%j is refused as INVALID_URL",
    (url) => {
      expect(checkGatewayUrl(url)).toMatchObject({ ok: false, error: { code: "INVALID_URL" } });
    },
  );

  test("that is refused does not repeat a secret written into it", () => {
    const checked = checkGatewayUrl("http://user:hunter2@127.0.0.1/?token=hunter3");
    expect.assert(!checked.ok);
    expect(checked.error.message).not.toMatch(/hunter[23]/);
  });
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

test("any text is an address or an error, and the address has no credential", () => {
  fc.assert(
    fc.property(fc.oneof(urlish, fc.string({ unit: "binary" }), fc.webUrl()), (text) => {
      const checked = checkGatewayUrl(text);
      if (!checked.ok) {
        expect(checked.error).toMatchObject({ name: "GatewayError" });
        return;
      }
      const gone = { username: "", password: "", search: "", hash: "" };
      expect(new URL(checked.address.url)).toMatchObject(gone);
    }),
    { numRuns },
  );
});
