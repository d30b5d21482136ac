import { readFile, stat, writeFile } from "node:fs/promises";
import type { GatewayTargetKind } from "@openclaw/config";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { findRunToken, readRunToken, runTokenPath, writeRunToken } from "./run-token.ts";

const TOKEN = { token: "of-the-run", port: 4000, pid: 1 };

test("only this user can read it, and whoever wrote it takes it away", async () => {
  await using state = await temporaryDirectory();
  const remove = writeRunToken(state.path, TOKEN);
  expect((await stat(runTokenPath(state.path))).mode & 0o777).toBe(0o600);
  expect(readRunToken(state.path, 4000)).toBe("of-the-run");
  remove();
  expect(readRunToken(state.path, 4000)).toBeUndefined();
});

test("that of a later Gateway stays", async () => {
  await using state = await temporaryDirectory();
  const remove = writeRunToken(state.path, TOKEN);
  writeRunToken(state.path, { ...TOKEN, token: "of-the-next" });
  remove();
  expect(await readFile(runTokenPath(state.path), "utf8")).toContain("of-the-next");
});

test("a file that is half gone is no token", async () => {
  await using state = await temporaryDirectory();
  writeRunToken(state.path, TOKEN);
  await writeFile(runTokenPath(state.path), '{"token":');
  expect(readRunToken(state.path, 4000)).toBeUndefined();
});

test.each<[GatewayTargetKind, string, string | undefined]>([
  ["local", "ws://127.0.0.1:4000", "of-the-run"],
  ["local", "wss://127.0.0.1:4000", "of-the-run"],
  ["port-flag", "ws://127.0.0.1:4000", "of-the-run"],
  ["port-flag", "ws://127.0.0.1:4001", undefined],
  ["local", "ws://100.64.0.1:4000", undefined],
  ["local", "ws://127.evil.example:4000", undefined],
  ["url-flag", "ws://127.0.0.1:4000", undefined],
  ["env-url", "ws://127.0.0.1:4000", undefined],
  ["remote", "ws://127.0.0.1:4000", undefined],
])("a target of kind %s at %s gets %s", async (kind, url, expected) => {
  await using state = await temporaryDirectory();
  writeRunToken(state.path, TOKEN);
  expect(findRunToken(state.path, { kind, url })).toBe(expected);
});
