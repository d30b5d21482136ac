import { expect, test } from "vitest";
import type { PeerOrigin } from "../listener/peer-address.ts";
import { checkOrigin, createOriginRules } from "./origin-rule.ts";

const none = createOriginRules([], false);
const HERE = "127.0.0.1:18789";
const from = (browserOrigin: string | undefined, isLocal = true, host = HERE): PeerOrigin => ({
  address: isLocal ? "127.0.0.1" : "192.0.2.7",
  socketAddress: isLocal ? "127.0.0.1" : "192.0.2.7",
  isLocal,
  via: "direct",
  host,
  browserOrigin,
  isBrowser: browserOrigin !== undefined,
  userAgent: undefined,
  proxyHeaders: {},
});

test("a native client sends no Origin and needs none; a browser's client without one is refused", () => {
  expect(checkOrigin(from(undefined), "cli", none).ok).toBe(true);
  for (const client of ["openclaw-control-ui", "webchat"])
    expect(checkOrigin(from(undefined), client, none)).toMatchObject({
      reason: "origin missing or invalid",
    });
});

test("a page of this machine reaches a Gateway on this machine, and no other", () => {
  for (const page of ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:9"]) {
    expect(checkOrigin(from(page), "cli", none).ok).toBe(true);
    expect(checkOrigin(from(page, false), "cli", none).ok).toBe(false);
  }
});

test("pain 12: a page of elsewhere is refused, also one whose name was made to point here", () => {
  for (const page of [
    "http://evil.example:18789",
    "https://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://127.1.evil",
    "null",
    "file://",
    "not an origin",
  ]) {
    expect(checkOrigin(from(page), "cli", none).ok).toBe(false);
    const host = page.replace(/^\w+:\/\//, "");
    expect(checkOrigin(from(page, false, host), "cli", none).ok).toBe(false);
  }
});

test("a listed origin may connect from anywhere, exactly as it is listed", () => {
  const listed = createOriginRules(["https://claw.example/"], false);
  expect(checkOrigin(from("https://claw.example", false), "webchat", listed).ok).toBe(true);
  expect(checkOrigin(from("http://claw.example", false), "webchat", listed).ok).toBe(false);
  expect(checkOrigin(from("https://claw.example:8443", false), "cli", listed).ok).toBe(false);
  const all = createOriginRules(["*"], false);
  expect(checkOrigin(from("https://anything.example", false), "webchat", all).ok).toBe(true);
});

test("a page that this Gateway's own private address served may connect to that address", () => {
  for (const host of [
    "192.168.1.5:18789",
    "10.0.0.1",
    "172.31.0.1:80",
    "100.64.0.9:18789",
    "[fd00::1]:18789",
    "box.local:18789",
    "box.tail1234.ts.net",
  ]) {
    expect(checkOrigin(from(`https://${host}`, false, host), "webchat", none).ok).toBe(true);
    expect(checkOrigin(from(`https://${host}`, false, "10.9.9.9"), "webchat", none).ok).toBe(false);
  }
  for (const host of [
    "203.0.113.9:18789",
    "claw.example",
    "172.32.0.1",
    "100.128.0.1",
    "[2001:db8::1]",
  ])
    expect(checkOrigin(from(`https://${host}`, false, host), "webchat", none).ok).toBe(false);
});

test("the dangerous fallback lets any page connect to the name that it was loaded from", () => {
  const fallback = createOriginRules([], true);
  expect(checkOrigin(from("https://claw.example", false, "claw.example"), "cli", fallback).ok).toBe(
    true,
  );
  expect(checkOrigin(from("https://evil.example", false, "claw.example"), "cli", fallback).ok).toBe(
    false,
  );
});

test.each([
  "claw.example",
  "https://claw.example/path",
  "https://*.example",
  "https://a@b",
  "",
  "null",
])("the list of origins refuses %j, naming it", (entry) => {
  expect(() => createOriginRules([entry], false)).toThrow(
    expect.objectContaining({
      code: "OPTIONS_INVALID",
      message: expect.stringContaining(`allowedOrigins[0] is ${JSON.stringify(entry)}`),
    }),
  );
});
