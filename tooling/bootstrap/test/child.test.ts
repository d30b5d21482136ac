import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test, vi } from "vitest";
import { runChild } from "../lib/child.mjs";
import { root } from "../lib/root.mjs";

const options = { cwd: root, env: process.env };

/** Whether a process runs. One that ended and that nobody waited for, as in a bare container, does not. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

test("exit code and lines of a child come back", async () => {
  const lines: string[] = [];
  const onLine = (line: string) => void lines.push(line);
  const code = await runChild("sh", ["-c", "echo one; echo two >&2; printf three; exit 7"], {
    ...options,
    onLine,
  });
  expect(code).toBe(7);
  expect(lines.sort()).toEqual(["one", "three", "two"]);
});

test("a command that is missing answers 127 and says so", async () => {
  const lines: string[] = [];
  const onLine = (line: string) => void lines.push(line);
  expect(await runChild("no-such-command", [], { ...options, onLine })).toBe(127);
  expect(lines.join()).toContain("no-such-command");
});

test("what a child leaves behind ends with it", async () => {
  const pids: number[] = [];
  const onLine = (line: string) => void pids.push(Number(line));
  expect(await runChild("sh", ["-c", "sleep 1000 & echo $!"], { ...options, onLine })).toBe(0);
  expect(pids).toHaveLength(1);
  await vi.waitFor(() => expect(isAlive(pids[0] ?? 0)).toBe(false));
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the child's whole group and answers %d", async (signal, exitCode) => {
  const program = `
    import { runChild } from ${JSON.stringify(join(root, "tooling/bootstrap/lib/child.mjs"))};
    const options = { cwd: ".", env: process.env };
    process.exitCode = await runChild("sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"], options);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
  const ended = once(parent, "exit");
  parent.kill(signal);
  expect(await ended).toEqual([exitCode, null]);
  await vi.waitFor(() => expect(isAlive(Number(line))).toBe(false));
});
