import { expect, test } from "vitest";
import { isTunnelName, nameAfter } from "./tunnel-name.ts";

test.each([
  ["box", "box"],
  ["Box.example.com", "box"],
  ["10.0.0.5", "10-0-0-5"],
  ["fe80::1", "fe80-1"],
  ["::1", "1"],
  ["my box", "my-box"],
  ["_", "tunnel"],
  // Would be taken for the tunnel without a name.
  ["default", "tunnel"],
  ["x".repeat(100), "x".repeat(60)],
])("a tunnel to %s is called %s", (host, name) => {
  expect(nameAfter(host)).toBe(name);
  expect(isTunnelName(name)).toBe(true);
  // Room for the number of a second one.
  expect(isTunnelName(`${name}-99`)).toBe(true);
});

test.each(["", "../up", "a.b", "-a", "a/b", "a b", "x".repeat(65)])("%j is no name", (text) => {
  expect(isTunnelName(text)).toBe(false);
});
