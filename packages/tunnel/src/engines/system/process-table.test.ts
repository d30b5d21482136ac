import { describe, expect, test } from "vitest";
import { inspectProcess, isSameProcess, parsePsLine } from "./process-table.ts";

describe("what ps prints", () => {
  test("is read, command line and all", () => {
    const line = "  501   777 Ss   Sat Nov 21 13:17:02 2026     /usr/bin/ssh -N -- me@box\n";
    expect(parsePsLine(777, line)).toEqual({
      pid: 777,
      parentPid: 501,
      groupId: 777,
      startTime: "Sat Nov 21 13:17:02 2026",
      commandLine: ["/usr/bin/ssh -N -- me@box"],
    });
  });

  test("is no process when it has ended, or when there is none", () => {
    expect(parsePsLine(777, "1 777 Z Sat Nov  7 13:17:02 2026 (ssh)")).toBeUndefined();
    expect(parsePsLine(777, "")).toBeUndefined();
  });
});

test("this process is found, and always the same", async () => {
  const [one, other] = await Promise.all([
    inspectProcess(process.pid),
    inspectProcess(process.pid),
  ]);
  expect(one).toMatchObject({ pid: process.pid, parentPid: process.ppid });
  expect(one && other && isSameProcess(one, other)).toBe(true);
});

test.each([0, -1, 1.5, Number.NaN, 2 ** 30])("%d is no process", async (pid) => {
  expect(await inspectProcess(pid)).toBeUndefined();
});

test("another start or another word is another process", () => {
  const entry = { pid: 7, startTime: "boot/1", commandLine: ["ssh", "-N", "box"] };
  expect(isSameProcess(entry, { ...entry })).toBe(true);
  expect(isSameProcess(entry, { ...entry, startTime: "boot/2" })).toBe(false);
  expect(isSameProcess(entry, { ...entry, commandLine: ["ssh", "-N", "bo"] })).toBe(false);
  expect(isSameProcess(entry, { ...entry, commandLine: ["ssh", "-N"] })).toBe(false);
  const nothing = { ...entry, commandLine: [] };
  expect(isSameProcess(nothing, nothing)).toBe(false);
});
