import type { ConnectParams } from "@openclaw/protocol";
import { buildConnectParams, createTestIdentity } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { verifyDevice } from "./verify-device.ts";

const NOW = 1_700_000_000_000;

/** Params of a 2026.1 client that did not wait for the challenge. */
function impatient(): ConnectParams {
  const params = buildConnectParams(
    {
      minProtocol: 3,
      maxProtocol: 3,
      signature: "v1",
      nonce: null,
      identity: createTestIdentity(),
      token: "tok-example",
    },
    { nonce: "unused", ts: NOW },
  );
  // Built to the schema; what is no part of it is refused before a device is looked at.
  return params as unknown as ConnectParams;
}

test("a signature without a nonce counts on this machine only", () => {
  const params = impatient();
  const context = { nonce: "nonce-example", now: NOW };
  expect(verifyDevice(params, { ...context, isLocal: true })).toMatchObject({ ok: true });
  expect(verifyDevice(params, { ...context, isLocal: false })).toMatchObject({
    ok: false,
    message: "device nonce required",
  });
});

test("a signature without a nonce does not count for a client that speaks the newer protocol", () => {
  const params = { ...impatient(), maxProtocol: 4 };
  expect(verifyDevice(params, { nonce: "nonce-example", now: NOW, isLocal: true })).toMatchObject({
    ok: false,
    message: "device nonce required",
  });
});
