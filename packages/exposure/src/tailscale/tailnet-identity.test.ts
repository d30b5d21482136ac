import { expect, test } from "vitest";
import { readIdentity, tailnetAddress } from "./tailnet-identity.ts";

test.each([
  ["100.64.0.0", "100.64.0.0"],
  ["100.127.255.255", "100.127.255.255"],
  ["::ffff:100.64.0.1", "100.64.0.1"],
  ["fd7a:115c:a1e0::1", "fd7a:115c:a1e0::1"],
  ["FD7A:115C:A1E0:0000:0:0:0:1", "fd7a:115c:a1e0::1"],
])("%s is an address of a tailnet", (text, address) => expect(tailnetAddress(text)).toBe(address));

test.each([
  "100.128.0.0",
  "10.0.0.1",
  "fe80::1%eth0",
  "fd7a:115c:a1e0::1%1",
  "::ffff:10.0.0.1",
  "-1",
])("%s is none", (text) => expect(tailnetAddress(text)).toBeUndefined());

test.each([
  [{ UserProfile: { LoginName: "a@b", DisplayName: "A" } }, { login: "a@b", name: "A" }],
  [{ userProfile: { login: "a@b", name: "A" } }, { login: "a@b", name: "A" }],
  [{ User: { Login: "a@b", displayName: "A" } }, { login: "a@b", name: "A" }],
  [{ LoginName: "a@b", Name: "machine" }, { login: "a@b" }],
  [
    { UserProfile: { LoginName: "tagged-devices" }, Node: { Tags: ["tag:x"] } },
    { login: "tagged-devices", tags: ["tag:x"] },
  ],
  [{ UserProfile: { LoginName: "a@b" }, Node: { Tags: null } }, { login: "a@b" }],
])("%j names somebody", (document, identity) => expect(readIdentity(document)).toEqual(identity));

test.each([
  {},
  { UserProfile: {} },
  { UserProfile: null },
  { UserProfile: { LoginName: "" } },
  { Node: {} },
])("%j names nobody", (document) => expect(readIdentity(document)).toBeUndefined());
