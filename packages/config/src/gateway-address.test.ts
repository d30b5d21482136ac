import { expect, test } from "vitest";
import { isGatewayAddress, readGatewayAddress } from "./gateway-address.ts";

test.each([
  ["ws://127.0.0.1", "ws://127.0.0.1:18789"],
  ["WSS://gw.example/base", "wss://gw.example/base"],
])("%j is dialled as %s", (text, url) => {
  expect(readGatewayAddress(text, "--url")).toEqual({ url });
  expect(isGatewayAddress(text)).toBe(true);
});

test.each([
  ["ssh://me@box", "me@box", 18_789, "ssh://me@box/18789"],
  ["ssh://box:2222/18790", "box:2222", 18_790, "ssh://box:2222/18790"],
  ["ssh://localhost", "localhost", 18_789, "ssh://localhost/18789"],
  ["box", "box", 18_789, "ssh://box/18789"],
  ["remote-gateway", "remote-gateway", 18_789, "ssh://remote-gateway/18789"],
  ["box:22", "box:22", 18_789, "ssh://box:22/18789"],
  ["box:2222", "box:2222", 18_789, "ssh://box:2222/18789"],
  ["me@box", "me@box", 18_789, "ssh://me@box/18789"],
  ["me@localhost", "me@localhost", 18_789, "ssh://me@localhost/18789"],
  ["me@box:443", "me@box:443", 18_789, "ssh://me@box:443/18789"],
  ["me@10.0.0.5", "me@10.0.0.5", 18_789, "ssh://me@10.0.0.5/18789"],
  ["10.0.0.5:22", "10.0.0.5:22", 18_789, "ssh://10.0.0.5:22/18789"],
  ["me@[::1]:22", "me@[::1]:22", 18_789, "ssh://me@[::1]:22/18789"],
])("%j leads through SSH to %s, port %i", (text, target, remotePort, endpointKey) => {
  expect(readGatewayAddress(text, "--url")).toEqual({
    url: `ws://127.0.0.1:${remotePort}`,
    via: { kind: "ssh", target, remotePort, hostKeyPolicy: "strict" },
    endpointKey,
  });
  expect(isGatewayAddress(text)).toBe(true);
});

test.each([
  ["localhost", "ws://localhost:18789", "ssh://localhost"],
  ["localhost:18789", "ws://localhost:18789", "ssh://localhost/18789"],
  ["127.0.0.1:18790", "ws://127.0.0.1:18790", "ssh://127.0.0.1/18790"],
  ["::1", "ws://[::1]:18789", "ssh://[::1]"],
  ["10.0.0.5", "ws://10.0.0.5:18789", "ssh://10.0.0.5"],
  ["10.0.0.5:2222", "ws://10.0.0.5:2222", "ssh://10.0.0.5:2222"],
  ["box:18789", "ws://box:18789", "ssh://box/18789"],
  ["box:19001", "ws://box:19001", "ssh://box/19001"],
  ["gw.example:443", "ws://gw.example:443", "ssh://gw.example:443"],
  ["me@box:18789", "ws://box:18789", "ssh://me@box/18789"],
])("%j looks like a Gateway without its scheme: %s or %s", (text, direct, ssh) => {
  const error = caught(() => readGatewayAddress(text, "--url"));
  expect(error).toMatchObject({
    code: "INVALID_URL",
    message: "the gateway URL from --url has no scheme.",
  });
  expect(error.hint).toContain(`${direct} `);
  expect(error.hint).toContain(`${ssh} `);
  expect(isGatewayAddress(text)).toBe(false);
});

test.each([
  "",
  "http://box",
  "https:box",
  "ftp://box",
  "box/18789",
  "two words",
  "-oX",
  "me:pw@box",
])("%j is refused, and the message does not repeat it", (text) => {
  const error = caught(() => readGatewayAddress(text, "--url"));
  expect(error).toMatchObject({ code: "INVALID_URL" });
  expect(`${error.message} ${error.hint}`).not.toContain("pw@");
  expect(isGatewayAddress(text)).toBe(false);
});

function caught(action: () => unknown): Error & { hint?: string } {
  try {
    action();
  } catch (error) {
    // Whatever is thrown here is one of ours, or the test fails on its members.
    return error as Error & { hint?: string };
  }
  throw new Error("expected it to throw");
}
