import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import {
  claimRecord,
  readFailure,
  readRecords,
  recordFolder,
  removeRecord,
  startTimeOf,
  writeFailure,
  writeRecord,
} from "./record-files.ts";
import type { TunnelRecord } from "./tunnel-record.ts";

/** A record of this process, which surely runs. */
async function recordOf(name: string, change: Partial<TunnelRecord> = {}): Promise<TunnelRecord> {
  return {
    version: 1,
    name,
    pid: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? null,
    target: "me@box",
    isService: false,
    state: "connecting",
    since: 1,
    generation: 1,
    forwards: [],
    ...change,
  };
}

test("a name is claimed once, and free again when its record is removed", async () => {
  await using state = await temporaryDirectory();
  const record = await recordOf("box");
  expect(await claimRecord(state.path, record)).toBeUndefined();
  expect(await claimRecord(state.path, await recordOf("box"))).toEqual(record);
  expect(statSync(state.file("tunnels", "box.json")).mode & 0o777).toBe(0o600);
  expect(statSync(recordFolder(state.path)).mode & 0o777).toBe(0o700);
  removeRecord(state.path, record);
  expect(await claimRecord(state.path, record)).toBeUndefined();
});

test("of twenty who claim a dead tunnel's name at once, exactly one gets it", async () => {
  await using state = await temporaryDirectory();
  writeRecord(state.path, await recordOf("box", { startTime: "another boot/1" }));
  const claims = await Promise.all(
    Array.from({ length: 20 }, async (_, index) =>
      claimRecord(state.path, await recordOf("box", { since: index })),
    ),
  );
  expect(claims.filter((other) => other === undefined)).toHaveLength(1);
  expect((await readRecords(state.path)).running).toHaveLength(1);
  expect(readdirSync(recordFolder(state.path))).toEqual(["box.json"]);
});

test("a process with the number of a dead one is not taken for it", async () => {
  await using state = await temporaryDirectory();
  const own = await recordOf("own");
  await claimRecord(state.path, own);
  writeRecord(state.path, await recordOf("dead", { startTime: "another boot/1" }));
  const found = await readRecords(state.path);
  expect(found).toEqual({ running: [own], removed: ["dead"] });
  expect(existsSync(state.file("tunnels", "dead.json"))).toBe(false);
});

test("files that are no records are neither shown nor removed, and their names are taken", async () => {
  await using state = await temporaryDirectory();
  mkdirSync(recordFolder(state.path));
  writeFileSync(state.file("tunnels", "notes.json"), '{"dear": "to somebody"}');
  writeFileSync(state.file("tunnels", "broken.json"), "{");
  expect(await readRecords(state.path)).toEqual({ running: [], removed: [] });
  expect(await claimRecord(state.path, await recordOf("notes"))).toBeNull();
  expect(readdirSync(recordFolder(state.path))).toEqual(["broken.json", "notes.json"]);
});

test("a record is not removed by a process that has lost it to another", async () => {
  await using state = await temporaryDirectory();
  const own = await recordOf("box");
  const other = await recordOf("box", { startTime: "later/2" });
  writeRecord(state.path, other);
  removeRecord(state.path, own);
  expect(existsSync(state.file("tunnels", "box.json"))).toBe(true);
});

test("a failure stands beside the records and is taken for none", async () => {
  await using state = await temporaryDirectory();
  const cause = { code: "HOST_KEY_CHANGED", message: "it has changed.", final: true };
  const failure = { version: 1, name: "box", target: "me@box", at: 7, cause } as const;
  writeFailure(state.path, failure);
  expect(readFailure(state.path, "box")).toEqual(failure);
  expect(readFailure(state.path, "other")).toBeUndefined();
  expect(await readRecords(state.path)).toEqual({ running: [], removed: [] });
});
