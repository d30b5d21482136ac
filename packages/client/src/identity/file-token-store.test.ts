import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileTokenStore } from "./file-token-store.ts";

const key = { endpoint: "127.0.0.1:18789", role: "operator", deviceId: "d".repeat(64) };
const token = { token: "t-1", scopes: ["operator.read"], updatedAtMs: 1_700_000_000_000 };

async function scratchFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-tokens-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "identity", "device-tokens.json");
}

test("a token is kept per endpoint and role, for the key it was issued to", async () => {
  const path = await scratchFile();
  await fileTokenStore(path).set(key, token);
  const store = fileTokenStore(path);
  expect(await store.get(key)).toEqual(token);
  expect(await store.get({ ...key, role: "node" })).toBeUndefined();
  expect(await store.get({ ...key, endpoint: "127.0.0.1:1" })).toBeUndefined();
  expect(await store.get({ ...key, deviceId: "e".repeat(64) })).toBeUndefined();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await store.remove({ ...key, deviceId: "e".repeat(64) });
  expect(await store.get(key)).toEqual(token);
  await store.remove(key);
  expect(await store.get(key)).toBeUndefined();
  expect(await readdir(dirname(path))).toEqual(["device-tokens.json"]);
});

test("names that objects are born with are ordinary endpoints and roles", async () => {
  const path = await scratchFile();
  const odd = { ...key, endpoint: "__proto__", role: "constructor" };
  await fileTokenStore(path).set(odd, token);
  expect(await fileTokenStore(path).get(odd)).toEqual(token);
  expect(await fileTokenStore(path).get({ ...key, endpoint: "toString" })).toBeUndefined();
});

test("changes made at the same time are all kept", async () => {
  const path = await scratchFile();
  const stores = [fileTokenStore(path), fileTokenStore(path), fileTokenStore(path)];
  const keys = Array.from({ length: 30 }, (_, port) => ({ ...key, endpoint: `127.0.0.1:${port}` }));
  await Promise.all(keys.map((one, index) => stores[index % 3]!.set(one, token)));
  const found = await Promise.all(keys.map((one) => stores[0]!.get(one)));
  expect(found.every((one) => one?.token === "t-1")).toBe(true);
});

test("a file that cannot be read is an error and stays as it is", async () => {
  const path = await scratchFile();
  const store = fileTokenStore(path);
  await store.set(key, token);
  for (const text of ["", "{", "[]", '{"version":1,"tokens":{"a":{"b":{}}}}']) {
    await writeFile(path, text);
    await expect(store.get(key)).rejects.toMatchObject({ code: "TOKEN_STORE_UNREADABLE" });
    await expect(store.set(key, token)).rejects.toMatchObject({ code: "TOKEN_STORE_UNREADABLE" });
    expect(await readFile(path, "utf8")).toBe(text);
  }
});

test("a lock that a dead process left is taken over", async () => {
  const path = await scratchFile();
  const store = fileTokenStore(path);
  await store.set(key, token);
  await writeFile(`${path}.lock`, "");
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(`${path}.lock`, longAgo, longAgo);
  await store.remove(key);
  expect(await store.get(key)).toBeUndefined();
});
