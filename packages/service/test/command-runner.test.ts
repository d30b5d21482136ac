import { expect, test } from "vitest";
import { createCommandRunner } from "../src/index.ts";

const run = createCommandRunner({
  env: { PATH: process.env["PATH"], SHOWN: "yes" },
  maxOutputBytes: 1_000,
});
const node = (script: string, timeoutMs = 20_000, input?: string) =>
  run(process.execPath, ["-e", script], { timeoutMs, ...(input === undefined ? {} : { input }) });

test("a command is told apart by its exit code, and its streams are kept apart", async () => {
  expect(await node(`console.log("out"); console.error("err"); process.exitCode = 3`)).toEqual({
    code: 3,
    stdout: "out\n",
    stderr: "err\n",
  });
});

test("a command gets the given environment, and speaks English", async () => {
  const { stdout } = await node(
    "console.log(process.env.SHOWN, process.env.LC_ALL, process.env.HOME)",
  );
  expect(stdout).toBe("yes C undefined\n");
});

test("input is passed on, and a command that does not read it does no harm", async () => {
  expect(await node("process.stdin.pipe(process.stdout)", 20_000, "hello")).toMatchObject({
    stdout: "hello",
  });
  expect(await node("", 20_000, "x".repeat(1_000_000))).toMatchObject({ code: 0 });
});

test("a missing program, one that hangs and one that is killed are answers", async () => {
  expect(await run("/nonexistent/systemctl", [], { timeoutMs: 1_000 })).toMatchObject({
    code: null,
    failure: "missing",
  });
  expect(await run("/etc/passwd", [], { timeoutMs: 1_000 })).toMatchObject({
    code: null,
    failure: "denied",
  });
  expect(await node("setInterval(() => {}, 1e6)", 300)).toMatchObject({
    code: null,
    failure: "timeout",
  });
  expect(await node(`process.kill(process.pid, "SIGTERM")`)).toMatchObject({
    code: null,
    failure: "signal",
  });
});

test("endless output is not kept", async () => {
  const { stdout } = await node(`process.stdout.write("x".repeat(1e6))`);
  expect(stdout.length).toBeLessThan(200_000);
});
