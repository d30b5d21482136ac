import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSetupCode, encodeSetupCode, normalizeSetupUrl } from "./setup-code.ts";

const NOW = 1_700_000_000_000;
const code = {
  url: "wss://gateway.example",
  urls: ["wss://gateway.example", "ws://192.168.1.20:18789"],
  bootstrapToken: "T0keN_-of-32-bytes",
  expiresAtMs: NOW + 600_000,
  tlsFingerprint: "AB:CD",
};
const text = encodeSetupCode(code);
const raw = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("a code comes back as it was written, with and without its scheme, as pasted from a terminal", () => {
  for (const written of [
    text,
    `oc-pair://${text}`,
    `OC-PAIR://${text}/`,
    `  ${text.slice(0, 40)}\n${text.slice(40)}\r\n`,
  ])
    expect(decodeSetupCode(written, NOW)).toEqual({ ok: true, code });
  expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
});

test("what a published Gateway writes is read", () => {
  const { urls: _urls, tlsFingerprint: _pin, ...least } = code;
  expect(decodeSetupCode(raw(least), NOW)).toEqual({ ok: true, code: least });
});

test.each([
  ["an expired one", raw({ ...code, expiresAtMs: NOW }), "expired"],
  ["another scheme", `https://${text}`, "unknown-scheme"],
  ["a scheme that only begins so", `oc-pairing://${text}`, "unknown-scheme"],
  ["an SSH address", raw({ ...code, url: "ssh://box" }), "bad-url"],
  ["an address with a password", raw({ ...code, url: "wss://me:secret@box" }), "bad-url"],
  ["an address with a query", raw({ ...code, url: "wss://box/?token=1" }), "bad-url"],
  ["one bad address of several", raw({ ...code, urls: ["wss://a", "javascript:1"] }), "bad-url"],
  ["nine addresses", raw({ ...code, urls: Array(9).fill("wss://a") }), "malformed"],
  ["no token", raw({ ...code, bootstrapToken: "" }), "malformed"],
  ["a token with a line break", raw({ ...code, bootstrapToken: "a\nb" }), "malformed"],
  ["a time that is none", raw({ ...code, expiresAtMs: "soon" }), "malformed"],
  ["an array", raw([code]), "malformed"],
  ["null", raw(null), "malformed"],
  ["no JSON", Buffer.from("hello").toString("base64url"), "malformed"],
  ["nothing", "", "malformed"],
  ["a book", "a".repeat(20_000), "malformed"],
])("%s is refused: %s", (_what, written, problem) => {
  expect(decodeSetupCode(written, NOW)).toEqual({ ok: false, problem });
});

test.each([
  ["wss://box/", "wss://box"],
  ["https://box:8443/claw/", "wss://box:8443/claw"],
  ["http://192.168.1.20:18789", "ws://192.168.1.20:18789"],
  ["WSS://Box.Example:443", "wss://box.example"],
  ["ftp://box", undefined],
  ["box", undefined],
  ["", undefined],
])("the address %s is written %s", (given, expected) => {
  expect(normalizeSetupUrl(given)).toBe(expected);
});

test("no text makes the decoder throw, and what it accepts it writes the same again", () => {
  const runs = { numRuns: Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000) };
  const shaped = fc
    .record(
      {
        url: fc.oneof(fc.webUrl({ validSchemes: ["ws", "wss", "http", "ssh"] }), fc.string()),
        urls: fc.oneof(fc.array(fc.webUrl()), fc.anything()),
        bootstrapToken: fc.oneof(fc.base64String(), fc.anything()),
        expiresAtMs: fc.oneof(fc.maxSafeInteger(), fc.anything()),
        tlsFingerprint: fc.oneof(fc.string(), fc.anything()),
      },
      { requiredKeys: [] },
    )
    .map((value) => {
      try {
        return raw(value);
      } catch {
        return "";
      }
    });
  const mutated = fc
    .tuple(fc.nat(text.length - 1), fc.string({ maxLength: 3 }))
    .map(([at, insert]) => text.slice(0, at) + insert + text.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), shaped, mutated), (written) => {
      const decoded = decodeSetupCode(written, NOW);
      if (!decoded.ok) return;
      expect(decoded.code.url).toMatch(/^wss?:\/\/[^/@]/);
      expect(new URL(decoded.code.url)).toMatchObject({ username: "", password: "" });
      expect(decoded.code.expiresAtMs).toBeGreaterThan(NOW);
      expect(decodeSetupCode(encodeSetupCode(decoded.code), NOW)).toEqual(decoded);
    }),
    runs,
  );
});
