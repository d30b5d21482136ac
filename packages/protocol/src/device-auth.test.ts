import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type DeviceAuthFields,
  type DeviceAuthVersion,
  buildDeviceAuthPayload,
  decodeBase64Url,
  encodeBase64Url,
  normalizeDeviceMetadata,
} from "./device-auth.ts";

// Vectors captured from published peers: Ed25519 with a seed of 32 bytes 0x11.
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const privateKey = createPrivateKey({
  key: Buffer.concat([PKCS8_PREFIX, Buffer.alloc(32, 0x11)]),
  format: "der",
  type: "pkcs8",
});
const publicKey = createPublicKey(privateKey);
const DEVICE_ID = "10ba682c8ad13513971e8b56881aab8bd702bb807796eca81932c735a94d6e6d";
const PUBLIC_KEY = "0EqyMnQrtKs6E2i9RhXk5tAiSrcaAWuvhSCjMsl3hzc";

const cli: DeviceAuthFields = {
  deviceId: DEVICE_ID,
  clientId: "cli",
  clientMode: "cli",
  role: "operator",
  scopes: ["operator.read", "operator.write"],
  signedAtMs: 1_700_000_000_000,
  token: "tok-example",
  nonce: "nonce-example",
  platform: "linux",
  deviceFamily: "linux",
};
const node: DeviceAuthFields = {
  deviceId: DEVICE_ID,
  clientId: "node-host",
  clientMode: "node",
  role: "node",
  scopes: [],
  signedAtMs: 1_700_000_000_000,
  nonce: "nonce-example",
};

const CLI_V1 = `v1|${DEVICE_ID}|cli|cli|operator|operator.read,operator.write|1700000000000|tok-example`;

const vectors: [DeviceAuthVersion, DeviceAuthFields, payload: string, signature: string][] = [
  [
    "v1",
    cli,
    CLI_V1,
    "vYIItGDcm8M7hl7h3GQnOUa8P8-zCcp92JL8OzypMQ4CnAMW9Hjabw8InUgsdvaWMqXsi4FiPFzp-GOVcvqSCw",
  ],
  [
    "v2",
    cli,
    `${CLI_V1.replace("v1", "v2")}|nonce-example`,
    "PiGbQmHee8wJicRshAOE5Xx1_c0N_NfoJuZ0uz_T0iNIbM-SUgJV3hIaBY67SRGlhW4z0Q1ygZp9JABphr_wDw",
  ],
  [
    "v3",
    cli,
    `${CLI_V1.replace("v1", "v3")}|nonce-example|linux|linux`,
    "-fKcefSOrAox43ahp5RAadBRuNKCgzm1rRUZSiMJHSJkbLjQmi1OhjexVmNsrz641FUEs2UN-REoyuaqyFEvDw",
  ],
  [
    "v2",
    node,
    `v2|${DEVICE_ID}|node-host|node|node||1700000000000||nonce-example`,
    "5Ep5gJIOrVIew5zER0QdfUyu5DdV5HeK3wsxPSoZvoaI_BM9JlXAy2oSaXmSeQ79xtg5wYgfBormIVT1M_-gBQ",
  ],
];

test.each(vectors)("%s signs what published peers sign", (version, fields, payload, signature) => {
  expect(buildDeviceAuthPayload(version, fields)).toBe(payload);
  expect(encodeBase64Url(sign(null, Buffer.from(payload), privateKey))).toBe(signature);
  expect(verify(null, Buffer.from(payload), publicKey, decodeBase64Url(signature)!)).toBe(true);
});

test("the device id is the hash of the raw public key", () => {
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  expect(encodeBase64Url(raw)).toBe(PUBLIC_KEY);
  expect(createHash("sha256").update(raw).digest("hex")).toBe(DEVICE_ID);
});

test("an absent field is the empty string and keeps its place", () => {
  const bare = {
    deviceId: "d",
    clientId: "c",
    clientMode: "m",
    role: "r",
    scopes: [],
    signedAtMs: 0,
  };
  expect(buildDeviceAuthPayload("v1", bare)).toBe("v1|d|c|m|r||0|");
  expect(buildDeviceAuthPayload("v2", bare)).toBe("v2|d|c|m|r||0||");
  expect(buildDeviceAuthPayload("v3", bare)).toBe("v3|d|c|m|r||0||||");
});

test("v3 trims and lowers ASCII letters, and leaves all others as they are", () => {
  expect(normalizeDeviceMetadata("  macOS İÄ ")).toBe("macos İÄ");
  expect(normalizeDeviceMetadata()).toBe("");
  expect(normalizeDeviceMetadata(null)).toBe("");
  const platform = " Linux ";
  expect(buildDeviceAuthPayload("v3", { ...cli, platform })).toMatch(/\|linux\|linux$/);
});

test("base64url goes both ways, and reads standard base64 as well", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const buffer = Buffer.from(bytes);
      expect(encodeBase64Url(bytes)).toBe(buffer.toString("base64url"));
      for (const encoding of ["base64", "base64url"] as const) {
        expect(decodeBase64Url(buffer.toString(encoding))).toEqual(Uint8Array.from(bytes));
      }
    }),
  );
});

test.each(["*", "a", "ab cd", "ab\n", "====", "é"])("%j is no base64", (text) => {
  expect(decodeBase64Url(text)).toBeUndefined();
});
