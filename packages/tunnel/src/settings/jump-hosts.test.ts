import fc from "fast-check";
import { expect, test } from "vitest";
import { formatJumpHosts, parseJumpHosts } from "./jump-hosts.ts";

test("a chain is read in the order in which it is passed", () => {
  expect(parseJumpHosts("ann@one:2200,ssh://two:22,[2001:db8::1]:44,2001:db8::2")).toEqual([
    { host: "one", user: "ann", port: 2200 },
    { host: "two", port: 22 },
    { host: "2001:db8::1", port: 44 },
    { host: "2001:db8::2" },
  ]);
});

test("an IPv4 address may stand in the brackets that ssh -G puts around it", () => {
  expect(parseJumpHosts("ann@[192.0.2.1]:44,[192.0.2.2]")).toEqual([
    { host: "192.0.2.1", user: "ann", port: 44 },
    { host: "192.0.2.2" },
  ]);
});

test.each(["", "a,,b", "-oProxyCommand=x", "a b", "ssh://a/18789", "a:0", "$(x)", '"foo"'])(
  "the chain %j is refused",
  (value) => {
    expect(() => parseJumpHosts(value)).toThrow(
      expect.objectContaining({ code: "INVALID_SSH_CONFIG" }),
    );
  },
);

test("a chain that was written is read back", () => {
  const hop = fc.record(
    {
      host: fc.oneof(fc.constantFrom("box", "a.example.org"), fc.ipV4(), fc.ipV6()),
      user: fc.constantFrom("ann", "b.c"),
      port: fc.integer({ min: 1, max: 65_535 }),
    },
    { requiredKeys: ["host"] },
  );
  fc.assert(
    fc.property(fc.array(hop, { minLength: 1, maxLength: 4 }), (hops) => {
      expect(parseJumpHosts(formatJumpHosts(hops))).toEqual(hops);
    }),
  );
});
