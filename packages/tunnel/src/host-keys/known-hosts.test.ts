import fc from "fast-check";
import { expect, test } from "vitest";
import { ed25519Key, rsaKey } from "../../test/host-keys/support/test-keys.ts";
import { hasOnlyAuthorities, parseKnownHosts } from "./known-hosts.ts";
import type { KnownHost } from "./known-hosts.ts";

const key = ed25519Key("host");

test("entries and malformed lines carry the number of their line", () => {
  const { entries, malformed } = parseKnownHosts(
    Buffer.from(`# mine\r\nbox ${key.text}\r\n\r\nbox\nfox ${rsaKey("fox").text}`),
    "/kh",
  );
  expect(entries).toMatchObject([
    { file: "/kh", number: 2, blob: key.blob },
    { file: "/kh", number: 5, type: "ssh-rsa" },
  ]);
  expect(malformed).toEqual([{ file: "/kh", line: 4, reason: "a field is missing" }]);
});

test("no file makes it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const lines = Buffer.from(bytes).filter((byte) => byte === 0x0a).length + 1;
      const { entries, malformed } = parseKnownHosts(Buffer.from(bytes), "/kh");
      expect(entries.length + malformed.length).toBeLessThanOrEqual(lines);
    }),
  );
});

test("a host is known by authorities alone when no key of its own is known", () => {
  const one = [{ ...key, file: "/kh", line: 1 }];
  const nothing: KnownHost = {
    name: { display: "[box]:2222", withoutPort: "box", principal: "box" },
    keys: [],
    authorities: [],
    revoked: [],
    withoutPort: { keys: [], authorities: [] },
  };
  const ofBareName = (keys: KnownHost["keys"]): KnownHost => ({
    ...nothing,
    withoutPort: { keys, authorities: one },
  });
  expect(hasOnlyAuthorities(nothing)).toBe(false);
  expect(hasOnlyAuthorities({ ...nothing, authorities: one })).toBe(true);
  expect(hasOnlyAuthorities(ofBareName([]))).toBe(true);
  expect(hasOnlyAuthorities(ofBareName(one))).toBe(false);
  expect(hasOnlyAuthorities({ ...nothing, authorities: one, keys: one })).toBe(false);
  expect(hasOnlyAuthorities({ ...nothing, revoked: one })).toBe(false);
});
