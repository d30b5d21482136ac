import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTlsPin, matchesTlsPin, parseTlsPin, type TlsPin } from "./tls-pin.ts";

// A night runs a million: OPENCLAW_FUZZ_RUNS.
const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);

const hex = "0123456789abcdef".repeat(4);
const colons = (hex.match(/../g) ?? []).join(":").toUpperCase();
const base64 = Buffer.from(hex, "hex").toString("base64");
const certificate: TlsPin = { kind: "certificate", digest: hex };
const publicKey: TlsPin = { kind: "public-key", digest: hex };

test.each([
  [hex, certificate],
  [hex.toUpperCase(), certificate],
  [colons, certificate],
  [` ${colons.toLowerCase()}\n`, certificate],
  [`sha256 Fingerprint=${colons}`, certificate],
  [`SHA256:${hex}`, certificate],
  [`sha256//${base64}`, publicKey],
])("%j is a pin", (text, pin) => {
  expect(parseTlsPin(text)).toEqual({ ok: true, pin });
});

test.each([
  ["", "empty"],
  ["   ", "empty"],
  [hex.slice(2), "neither"],
  [`${hex}ab`, "neither"],
  [`${hex.slice(1)}g`, "neither"],
  ["ab".repeat(20), "SHA-1"],
  [base64, "neither"],
  ["sha256//", "not the base64"],
  [`sha256//${base64.slice(0, -1)}`, "not the base64"],
  [`sha256//${base64}${base64}`, "not the base64"],
  [`sha256//${hex}`, "not the base64"],
  [`sha256//${"A".repeat(42)}B=`, "not the base64"],
])("%j is none: %s", (text, fault) => {
  expect(parseTlsPin(text)).toEqual({ ok: false, fault: expect.stringContaining(fault) });
});

test("what is written reads as the same pin", () => {
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(digest, fc.constantFrom("certificate", "public-key"), (bytes, kind) => {
      const pin: TlsPin = { kind, digest: Buffer.from(bytes).toString("hex") };
      expect(parseTlsPin(formatTlsPin(pin))).toEqual({ ok: true, pin });
    }),
  );
});

test("no text makes the reader throw", () => {
  fc.assert(
    fc.property(fc.string(), (text) => typeof parseTlsPin(text).ok === "boolean"),
    { numRuns },
  );
});

test("a certificate matches by itself or by its key, and the one is not taken for the other", () => {
  const other = "ff".repeat(32);
  const subject = { fingerprint: colons, publicKey: `sha256//${base64.replace("A", "B")}` };
  expect(matchesTlsPin([certificate], subject)).toBe(true);
  expect(matchesTlsPin([publicKey], subject)).toBe(false);
  expect(matchesTlsPin([{ kind: "certificate", digest: other }, certificate], subject)).toBe(true);
  expect(matchesTlsPin([{ kind: "certificate", digest: other }], subject)).toBe(false);
  expect(matchesTlsPin([], subject)).toBe(false);
  expect(matchesTlsPin([publicKey], { fingerprint: other, publicKey: `sha256//${base64}` })).toBe(
    true,
  );
});
