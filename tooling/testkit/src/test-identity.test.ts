import { expect, test } from "vitest";
import { createTestIdentity, signaturePayload } from "./test-identity.ts";

const identity = createTestIdentity(Buffer.alloc(32, 0x11));
const fields = {
  clientId: "cli",
  clientMode: "cli",
  role: "operator",
  scopes: ["operator.read", "operator.write"],
  signedAtMs: 1_700_000_000_000,
  token: "tok-example",
  nonce: "nonce-example",
  platform: "Linux ",
  deviceFamily: "linux",
};

test("an identity from a known seed has the id and key of the reference", () => {
  expect(identity.deviceId).toBe(
    "10ba682c8ad13513971e8b56881aab8bd702bb807796eca81932c735a94d6e6d",
  );
  expect(identity.publicKey).toBe("0EqyMnQrtKs6E2i9RhXk5tAiSrcaAWuvhSCjMsl3hzc");
});

test.each([
  ["v1", "vYIItGDcm8M7hl7h3GQnOUa8P8-zCcp92JL8OzypMQ4CnAMW9Hjabw8InUgsdvaWMqXsi4FiPFzp-GOVcvqSCw"],
  ["v2", "PiGbQmHee8wJicRshAOE5Xx1_c0N_NfoJuZ0uz_T0iNIbM-SUgJV3hIaBY67SRGlhW4z0Q1ygZp9JABphr_wDw"],
  ["v3", "-fKcefSOrAox43ahp5RAadBRuNKCgzm1rRUZSiMJHSJkbLjQmi1OhjexVmNsrz641FUEs2UN-REoyuaqyFEvDw"],
] as const)("a %s signature is the one of the reference", (version, signature) => {
  expect(identity.sign(signaturePayload(version, identity.deviceId, fields))).toBe(signature);
});
