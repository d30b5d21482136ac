import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProcess, temporaryDirectory } from "@openclaw/testkit";
import type { TemporaryDirectory, TestProcess } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { isOwnOrphan, reapOrphans, recordChild } from "../../src/engines/system/child-records.ts";
import { inspectProcess } from "../../src/engines/system/process-table.ts";
import { isRunning } from "./support.ts";

/** Something to find in the list of processes, in a group of its own. */
async function startSleeper(): Promise<TestProcess> {
  const sleeper = startProcess("/bin/sh", ["-c", "echo ready; exec sleep 600"]);
  await sleeper.line("ready");
  // Until it is the program that it stays.
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const entry = await inspectProcess(sleeper.pid);
    if (entry?.commandLine[0] === "sleep") return sleeper;
  }
}

/** Writes the record of a child whose owner, this process, is said to be another one. */
async function orphaned(
  state: TemporaryDirectory,
  pid: number,
  change: Record<string, unknown> = {},
): Promise<string> {
  await recordChild(state.path, { pid });
  const folder = state.file("ssh-children");
  const names = await readdir(folder);
  const path = join(folder, names.find((name) => name.startsWith(`${pid}-`)) ?? "");
  const record = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const gone = { ownerPid: 2 ** 22 - 1, ownerStartTime: "an earlier boot/1" };
  await writeFile(path, JSON.stringify({ ...record, ...gone, ...change }));
  return path;
}

const isLinux = process.platform === "linux";

describe.skipIf(!isLinux)("what a killed owner has left behind", () => {
  test("is ended, with its group, and its record and directory go", async () => {
    await using state = await temporaryDirectory();
    await using sleeper = startProcess("/bin/sh", [
      "-c",
      "trap '' TERM; sleep 600 & echo child $!; wait; wait",
    ]);
    const [, child] = await sleeper.line(/^child (\d+)$/u);
    const directory = await mkdtemp(join(tmpdir(), "openclaw-ssh-"));
    const path = await orphaned(state, sleeper.pid, { directory, localPorts: [18_789] });
    expect(await isOwnOrphan(state.path, sleeper.pid)).toBe(true);
    expect(await isOwnOrphan(state.path, process.pid)).toBe(false);
    expect(await reapOrphans(state.path)).toMatchObject([
      { pid: sleeper.pid, localPorts: [18_789] },
    ]);
    expect((await sleeper.exited).signal).toBe("SIGKILL");
    expect(isRunning(Number(child))).toBe(false);
    expect(existsSync(path)).toBe(false);
    expect(existsSync(directory)).toBe(false);
    expect(await reapOrphans(state.path)).toEqual([]);
  });

  test.each([
    ["with the same number that began at another time", { startTime: "this boot/1" }],
    ["with another command line", { commandLine: ["sleep", "601"] }],
    ["with fewer words", { commandLine: ["sleep"] }],
  ])("is not a process %s: it is left alone", async (_, change) => {
    await using state = await temporaryDirectory();
    await using sleeper = await startSleeper();
    const path = await orphaned(state, sleeper.pid, change);
    expect(await isOwnOrphan(state.path, sleeper.pid)).toBe(false);
    expect(await reapOrphans(state.path)).toEqual([]);
    expect(sleeper.isRunning).toBe(true);
    expect(isRunning(sleeper.pid)).toBe(true);
    // Nothing will ever fit it again.
    expect(existsSync(path)).toBe(false);
  });

  test("is not a child whose owner lives: it is left alone, and so is its record", async () => {
    await using state = await temporaryDirectory();
    await using sleeper = await startSleeper();
    const record = await recordChild(state.path, { pid: sleeper.pid });
    expect(await isOwnOrphan(state.path, sleeper.pid)).toBe(false);
    expect(await reapOrphans(state.path)).toEqual([]);
    expect(isRunning(sleeper.pid)).toBe(true);
    expect(await readdir(state.file("ssh-children"))).toHaveLength(1);
    await record.forget();
    expect(await readdir(state.file("ssh-children"))).toEqual([]);
  });

  test("is not a child whose owner's number belongs to somebody else by now, unless it fits", async () => {
    await using state = await temporaryDirectory();
    await using sleeper = await startSleeper();
    // This process has the owner's number, and began at another time.
    await orphaned(state, sleeper.pid, { ownerPid: process.pid, ownerStartTime: "this boot/1" });
    // Its parent has the recorded number: it is no orphan.
    expect(await isOwnOrphan(state.path, sleeper.pid)).toBe(false);
    expect(await reapOrphans(state.path)).toEqual([]);
    expect(isRunning(sleeper.pid)).toBe(true);
  });

  test("is told by records alone: files that are none of ours change nothing", async () => {
    await using state = await temporaryDirectory();
    await using sleeper = await startSleeper();
    const folder = state.file("ssh-children");
    await mkdir(folder, { recursive: true });
    const entry = await inspectProcess(sleeper.pid);
    const almost = { ...entry, version: 2, ownerPid: 1, ownerStartTime: "", localPorts: [] };
    await writeFile(join(folder, "1-a.json"), "not JSON");
    await writeFile(join(folder, "2-b.json"), JSON.stringify(almost));
    await writeFile(join(folder, "3-c.json"), JSON.stringify({ version: 1, pid: "1" }));
    await writeFile(join(folder, "notes.txt"), "mine");
    expect(await reapOrphans(state.path)).toEqual([]);
    expect(isRunning(sleeper.pid)).toBe(true);
    expect((await readdir(folder)).toSorted()).toEqual([
      "1-a.json",
      "2-b.json",
      "3-c.json",
      "notes.txt",
    ]);
  });

  test("a directory of another name is never removed", async () => {
    await using state = await temporaryDirectory();
    await using precious = await temporaryDirectory();
    await using sleeper = await startSleeper();
    const directory = precious.file("openclaw-ssh-AbC123-and-more");
    await mkdir(directory);
    await orphaned(state, sleeper.pid, { directory });
    await reapOrphans(state.path);
    expect(existsSync(directory)).toBe(true);
  });
});

test.skipIf(!isLinux)("records are for the owner's eyes only", async () => {
  await using state = await temporaryDirectory();
  await using sleeper = await startSleeper();
  const record = await recordChild(state.path, { pid: sleeper.pid });
  await record.refresh();
  const folder = state.file("ssh-children");
  const [name = ""] = await readdir(folder);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
});

test("without any record there is nothing to end", async () => {
  await using state = await temporaryDirectory();
  expect(await reapOrphans(state.file("never-made"))).toEqual([]);
  expect(await isOwnOrphan(state.file("never-made"), process.pid)).toBe(false);
});
