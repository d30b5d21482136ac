import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { LedgerError } from "./errors.ts";
import { acquireOwnerLock } from "./owner-lock.ts";

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ledger-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function refusal(directory: string): LedgerError {
  try {
    acquireOwnerLock(directory).release();
  } catch (error) {
    if (error instanceof LedgerError) return error;
  }
  throw new Error("the lock was given");
}

test("the second to ask is told who owns the directory", () => {
  const directory = temporaryDirectory();
  const lock = acquireOwnerLock(directory);
  const error = refusal(directory);
  expect(error).toMatchObject({ code: "LOCKED", pid: process.pid });
  expect(error.message).toContain(String(process.pid));
  lock.release();
  lock.release();
  expect(readdirSync(directory)).toEqual([]);
  acquireOwnerLock(directory).release();
});

test("a living process keeps its lock, a dead one loses it", async () => {
  const directory = temporaryDirectory();
  const script = `
    import { acquireOwnerLock } from ${JSON.stringify(new URL("owner-lock.ts", import.meta.url).href)};
    acquireOwnerLock(${JSON.stringify(directory)});
    process.stdout.write("held");
    process.stdin.resume();`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(() => void child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  expect(refusal(directory)).toMatchObject({ code: "LOCKED", pid: child.pid });
  child.kill("SIGKILL");
  await ended;
  acquireOwnerLock(directory).release();
});

test("a later process with the pid of a dead owner is not mistaken for it", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "owner");
  acquireOwnerLock(directory);
  const owner = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  // The parent runs, but it did not start when this owner did.
  const stranger = { ...owner, pid: process.ppid, nonce: "n", startedAt: "another boot/1" };
  writeFileSync(path, JSON.stringify(stranger));
  const lock = acquireOwnerLock(directory);
  lock.release();
  // This process itself, before it was started anew with the same pid.
  writeFileSync(path, JSON.stringify({ ...owner, nonce: "of an earlier life" }));
  acquireOwnerLock(directory).release();
  expect(readdirSync(directory)).toEqual([]);
});

test("an owner file that cannot be read as one, and a takeover that died, do not block for ever", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "owner"), "");
  writeFileSync(
    join(directory, "owner.takeover"),
    JSON.stringify({ pid: process.pid, startedAt: null, nonce: "dead" }),
  );
  const lock = acquireOwnerLock(directory);
  expect(refusal(directory)).toMatchObject({ code: "LOCKED", pid: process.pid });
  lock.release();
  expect(readdirSync(directory)).toEqual([]);
});

test("of many processes that find a dead owner, exactly one takes over", async () => {
  const directory = temporaryDirectory();
  writeFileSync(
    join(directory, "owner"),
    JSON.stringify({ pid: 2 ** 22 + 1, startedAt: "x", nonce: "dead" }),
  );
  const script = `
    import { acquireOwnerLock } from ${JSON.stringify(new URL("owner-lock.ts", import.meta.url).href)};
    process.stdin.once("data", () => {
      try { acquireOwnerLock(${JSON.stringify(directory)}); process.stdout.write("owner"); }
      catch (error) { process.stdout.write(error.code ?? "?"); }
    });
    process.stdout.write("ready");`;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  onTestFinished(() => children.forEach((child) => void child.kill("SIGKILL")));
  const said = (child: (typeof children)[number]): Promise<string> =>
    new Promise((resolve) => child.stdout.once("data", (data) => resolve(String(data))));
  await Promise.all(children.map(said));
  const answers = children.map(said);
  for (const child of children) child.stdin.write("go");
  const results = (await Promise.all(answers)).toSorted();
  expect(results).toEqual(["LOCKED", "LOCKED", "LOCKED", "owner"]);
});
