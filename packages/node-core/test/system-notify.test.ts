import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { commandBench, temporaryDirectory } from "./command-bench.ts";

/** A folder with a program that writes its arguments into a file, one a line. */
function fakeProgram(
  name: string,
  exitCode = 0,
): { env: Record<string, string>; args(): string[] } {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "bin"));
  const program = join(directory, "bin", name);
  const log = join(directory, "log");
  const body = `for a in "$@"; do printf '%s\\0' "$a" >> '${log}'; done`;
  writeFileSync(program, `#!/bin/sh\n${body}\necho 'no bus' >&2\nexit ${exitCode}\n`);
  chmodSync(program, 0o755);
  return {
    env: { PATH: join(directory, "bin") },
    args: () => readFileSync(log, "utf8").split("\0").slice(0, -1),
  };
}

const isWindows = process.platform === "win32";

test.skipIf(isWindows)(
  "Linux shows it with notify-send, with sound and urgency, as plain text",
  async () => {
    const program = fakeProgram("notify-send");
    const bench = commandBench({ env: program.env, platform: "linux" });
    await bench.call("system.notify", {
      title: "-t $(id)",
      body: "<b>1 & 2</b>\nnext",
      sound: "message-new-instant",
      priority: "timeSensitive",
    });
    expect(program.args()).toEqual([
      "--app-name=OpenClaw",
      "--urgency=critical",
      "--hint=string:sound-name:message-new-instant",
      "--",
      "-t $(id)",
      "&lt;b&gt;1 &amp; 2&lt;/b&gt;\nnext",
    ]);
  },
);

test.skipIf(isWindows)(
  "macOS shows it with osascript, the texts being arguments of the script",
  async () => {
    const program = fakeProgram("osascript");
    const bench = commandBench({ env: program.env, platform: "darwin" });
    await bench.call("system.notify", { title: 'a" & b', body: "body", sound: "Glass" });
    expect(program.args().slice(-4)).toEqual(["--", 'a" & b', "body", "Glass"]);
    expect(program.args()[3]).toContain("sound name");
  },
);

test.skipIf(isWindows)("a missing program is an error that says what to install", async () => {
  const bench = commandBench({ env: { PATH: "/nowhere" }, platform: "linux" });
  await expect(bench.call("system.notify", { title: "t", body: "b" })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("install libnotify-bin"),
  });
});

test.skipIf(isWindows)("a program that fails is an error that says why", async () => {
  const program = fakeProgram("notify-send", 1);
  const bench = commandBench({ env: program.env, platform: "linux" });
  await expect(bench.call("system.notify", { title: "t", body: "b" })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: "notify-send could not show the notification: no bus",
  });
});

test("an empty notification and an overlay are refused", async () => {
  const bench = commandBench();
  await expect(bench.call("system.notify", { title: " ", body: "" })).rejects.toMatchObject({
    code: "INVALID_REQUEST",
  });
  await expect(
    bench.call("system.notify", { title: "t", body: "b", delivery: "overlay" }),
  ).rejects.toMatchObject({ code: "UNAVAILABLE" });
});
