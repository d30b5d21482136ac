import fc from "fast-check";
import { expect, test } from "vitest";
import { fitLabel, hostLabel, isHostName } from "./dns-label.ts";

test("a label never has more than 63 bytes, keeps its end, and holds no half character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 120 }), (name) => {
      const label = fitLabel(name, " (OpenClaw)");
      expect(Buffer.byteLength(label)).toBeLessThanOrEqual(63);
      expect(label.endsWith(" (OpenClaw)")).toBe(true);
      expect(label).not.toContain("\ufffd");
      expect(name.startsWith(label.slice(0, -" (OpenClaw)".length))).toBe(true);
    }),
  );
});

test.each([
  ["Studio.local", "studio"],
  ["My Mac!", "my-mac"],
  ["", "openclaw"],
  [undefined, "openclaw"],
  ["...", "openclaw"],
  ["工房", "openclaw"],
])("the host label of %j is %j", (name, label) => {
  expect(hostLabel(name, "openclaw")).toBe(label);
});

test.each([
  ["box.local", true],
  ["100.64.0.7", true],
  ["a b", false],
  ["box.local/path", false],
  ["user@box", false],
  ["-oProxyCommand=x", false],
  ["", false],
  ["x".repeat(254), false],
])("whether %j can stand in a URL: %j", (name, expected) => {
  expect(isHostName(name)).toBe(expected);
});
