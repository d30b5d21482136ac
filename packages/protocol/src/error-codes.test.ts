import { expect, test } from "vitest";
import { isFinalConnectError } from "./error-codes.ts";

test.each([
  "AUTH_TOKEN_MISSING",
  "AUTH_PASSWORD_MISMATCH",
  "AUTH_BOOTSTRAP_TOKEN_INVALID",
  "AUTH_DEVICE_TOKEN_MISMATCH",
  "DEVICE_IDENTITY_REQUIRED",
  "PROTOCOL_MISMATCH",
  "CLIENT_VERSION_MISMATCH",
  "PAIRING_REQUIRED",
])("%s is final", (code) => {
  expect(isFinalConnectError({ code })).toBe(true);
});

test.each([
  [undefined],
  [null],
  ["AUTH_TOKEN_MISSING"],
  [{}],
  [{ code: 7 }],
  [{ code: "DEVICE_AUTH_NONCE_MISMATCH" }],
  [{ code: "AUTH_TAILSCALE_WHOIS_FAILED" }],
  [{ reason: "startup-sidecars" }],
])("%j is worth another try", (details) => {
  expect(isFinalConnectError(details)).toBe(false);
});

test("a missing pairing is waited for when the Gateway says so", () => {
  expect(isFinalConnectError({ code: "PAIRING_REQUIRED", pauseReconnect: false })).toBe(false);
  const recommendedNextStep = "wait_then_retry";
  expect(isFinalConnectError({ code: "PAIRING_REQUIRED", recommendedNextStep })).toBe(false);
});

test("a wrong token is final unless the device token may be tried instead", () => {
  const code = "AUTH_TOKEN_MISMATCH";
  expect(isFinalConnectError({ code })).toBe(true);
  expect(isFinalConnectError({ code, canRetryWithDeviceToken: true })).toBe(false);
});
