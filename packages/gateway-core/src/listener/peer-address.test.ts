import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { isForwarded, isLoopback, peerOrigin } from "./peer-address.ts";

const request = (remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage =>
  // All that is read of a request here.
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

test("this machine is 127.0.0.0/8 and ::1, however the socket writes it", () => {
  for (const address of ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
    expect(peerOrigin(request(address)).isLocal).toBe(true);
  for (const address of ["10.0.0.1", "::ffff:10.0.0.1", "::2", "fe80::1", "0.0.0.0"])
    expect(peerOrigin(request(address)).isLocal).toBe(false);
  expect(isLoopback(undefined)).toBe(false);
  expect(isLoopback("127.0.0.1.evil.example")).toBe(false);
});

test.each([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-real-ip",
  "tailscale-user-login",
])("a request with %s is somebody else's, wherever it comes from", (name) => {
  const forwarded = request("127.0.0.1", { [name]: "192.0.2.7" });
  expect(isForwarded(forwarded)).toBe(true);
  expect(peerOrigin(forwarded).isLocal).toBe(false);
});
