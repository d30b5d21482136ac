import { execFile } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { EXIT_NOT_FOUND, farCommand, type FarProgram, searchedPath } from "./far-command.ts";

/** What an SSH server does with a command line. */
async function run(home: string, program: FarProgram, words: readonly string[] = ["status"]) {
  const env = { HOME: home, PATH: "/nowhere" };
  const line = farCommand(words, program);
  try {
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", line], { env });
    return { code: 0, stdout, stderr: "" };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

async function writeProgram(path: string, mode = 0o755): Promise<void> {
  await writeFile(path, '#!/bin/sh\necho "$0 $PWD"; for word in "$@"; do echo "<$word>"; done\n');
  await chmod(path, mode);
}

describe.skipIf(process.platform === "win32")("the program on the far side", () => {
  test("that is nowhere is told with the folders that were searched", async () => {
    await using home = await temporaryDirectory();
    const { code, stderr } = await run(home.path, {});
    expect(code).toBe(EXIT_NOT_FOUND);
    expect(stderr).toContain("openclaw is not found");
    expect(searchedPath(stderr)).toMatch(/^\/opt\/homebrew\/bin:\/usr\/local\/bin:.*:\/nowhere$/);
  });

  test("may be named, and gets its words as they are", async () => {
    await using home = await temporaryDirectory();
    const cliPath = home.file("it's here; $(touch no) `x`");
    await writeProgram(cliPath);
    const words = ["a b", "it's", "$HOME", "!!", '"'];
    const { code, stdout } = await run(home.path, { cliPath }, words);
    expect(code).toBe(0);
    expect(stdout).toBe(
      `${cliPath} ${process.cwd()}\n${words.map((word) => `<${word}>\n`).join("")}`,
    );
  });

  test("may be named below the home over there", async () => {
    await using home = await temporaryDirectory();
    await writeProgram(home.file("claw"));
    const { stdout } = await run(home.path, { cliPath: "~/claw" });
    expect(stdout).toContain(home.file("claw"));
  });

  test("that is named and not there is not replaced by another", async () => {
    await using home = await temporaryDirectory();
    const { code, stderr } = await run(home.path, { cliPath: "/no/such/file" });
    expect(code).toBe(EXIT_NOT_FOUND);
    expect(stderr).toContain("there is no file /no/such/file");
    const other = await run(home.path, { projectRoot: "/no/such/folder" });
    expect(other.code).toBe(EXIT_NOT_FOUND);
    expect(other.stderr).toContain("there is no folder /no/such/folder");
  });

  test("in a checkout needs node, and says so", async () => {
    await using home = await temporaryDirectory();
    const projectRoot = home.file("Projects", "openclaw");
    await mkdir(home.file("Projects", "openclaw", "bin"), { recursive: true });
    await writeFile(home.file("Projects", "openclaw", "bin", "openclaw.js"), "process.exit(3)");
    const results = await Promise.all([run(home.path, { projectRoot }), run(home.path, {})]);
    for (const { code, stderr } of results) {
      // The machine may have a node in one of the usual folders.
      if (code !== 3) expect(stderr).toContain("node is not found");
      expect([3, EXIT_NOT_FOUND]).toContain(code);
    }
  });
});
