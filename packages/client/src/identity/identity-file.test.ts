import { mkdtemp, readFile, readdir, rm, stat, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createPublicKey, createPrivateKey, verify } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { ed25519Identity } from "./ed25519-identity.ts";
import { loadOrCreateDeviceIdentity } from "./identity-file.ts";

async function scratchFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-identity-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "identity", "device.json");
}

test("an identity is made once, with mode 0600, and found again", async () => {
  const path = await scratchFile();
  const made = await loadOrCreateDeviceIdentity(path);
  const found = await loadOrCreateDeviceIdentity(path);
  expect(found.deviceId).toBe(made.deviceId);
  expect(made.deviceId).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  expect(await readdir(dirname(path))).toEqual(["device.json"]);
});

test("processes that start together end up with one identity", async () => {
  const path = await scratchFile();
  const identities = await Promise.all(
    Array.from({ length: 8 }, () => loadOrCreateDeviceIdentity(path)),
  );
  expect(new Set(identities.map((identity) => identity.deviceId)).size).toBe(1);
});

test.each([
  ["empty", ""],
  ["torn", '{"version":1,"deviceId":"ab'],
  ["of another shape", "[]"],
  ["of another version", '{"version":2}'],
  ["without a key", '{"version":1,"deviceId":"ab"}'],
  ["with a broken key", '{"version":1,"deviceId":"ab","privateKeyPem":"x"}'],
])("a file that is %s is an error and stays as it is", async (_, text) => {
  const path = await scratchFile();
  await loadOrCreateDeviceIdentity(path);
  await writeFile(path, text);
  await expect(loadOrCreateDeviceIdentity(path)).rejects.toMatchObject({
    code: "IDENTITY_UNREADABLE",
    final: true,
    message: expect.stringContaining(path),
  });
  expect(await readFile(path, "utf8")).toBe(text);
});

test("a file whose id is not that of its key is an error", async () => {
  const path = await scratchFile();
  await loadOrCreateDeviceIdentity(path);
  const stored = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...stored, deviceId: "0".repeat(64) }));
  await expect(loadOrCreateDeviceIdentity(path)).rejects.toMatchObject({
    code: "IDENTITY_UNREADABLE",
  });
});

test("a file that others may read is closed to them", async () => {
  const path = await scratchFile();
  await loadOrCreateDeviceIdentity(path);
  await chmod(path, 0o644);
  await loadOrCreateDeviceIdentity(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("id, public key and signature are those of the reference's vector", () => {
  const seed = Buffer.alloc(32, 0x11);
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const identity = ed25519Identity(key);
  expect(identity.deviceId).toBe(
    "10ba682c8ad13513971e8b56881aab8bd702bb807796eca81932c735a94d6e6d",
  );
  expect(identity.publicKey).toBe("0EqyMnQrtKs6E2i9RhXk5tAiSrcaAWuvhSCjMsl3hzc");
  const payload = `v2|${identity.deviceId}|node-host|node|node||1700000000000||nonce-example`;
  const signature = identity.sign(payload) as string;
  expect(signature).toBe(
    "5Ep5gJIOrVIew5zER0QdfUyu5DdV5HeK3wsxPSoZvoaI_BM9JlXAy2oSaXmSeQ79xtg5wYgfBormIVT1M_-gBQ",
  );
  expect(
    verify(null, Buffer.from(payload), createPublicKey(key), Buffer.from(signature, "base64url")),
  ).toBe(true);
});
