import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { findSshProgram } from "../../src/settings/find-ssh-program.ts";
import { resolveSshSettings } from "../../src/settings/resolve-settings.ts";
import { standIn } from "./ssh-programs.ts";

const env = { PATH: process.env["PATH"] };

describe("the ssh program", () => {
  test("is found in the system's directories before PATH", async () => {
    await using directory = await temporaryDirectory();
    for (const name of ["system", "path"]) {
      await mkdir(directory.file(name));
      await writeFile(directory.file(name, "ssh"), "");
      await chmod(directory.file(name, "ssh"), 0o755);
    }
    const options = { platform: "linux", directories: [directory.file("system")] } as const;
    const onPath = { PATH: directory.file("path") };
    expect(findSshProgram(onPath, options)).toBe(directory.file("system", "ssh"));
    expect(findSshProgram(onPath, { ...options, directories: [] })).toBe(
      directory.file("path", "ssh"),
    );
  });

  test("is neither a directory nor a file that cannot be run, nor on a relative path", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.file("a", "ssh"), { recursive: true });
    await mkdir(directory.file("b"));
    await writeFile(directory.file("b", "ssh"), "", { mode: 0o644 });
    const options = { platform: "linux", directories: [] } as const;
    const path = [directory.file("a"), directory.file("b"), ".", "", "usr/bin"].join(":");
    expect(findSshProgram({ PATH: path }, options)).toBeUndefined();
    expect(findSshProgram({}, options)).toBeUndefined();
  });

  test("is looked for by the names and the rules of Windows there", () => {
    const options = { platform: "win32" } as const;
    expect(findSshProgram({ Path: ".;relative", SystemRoot: "D:\\None" }, options)).toBeUndefined();
  });

  test("has to be named by an absolute path", async () => {
    await expect(
      resolveSshSettings({ host: "box" }, { env, sshProgram: "ssh" }),
    ).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });

  test("that is named and cannot be started is an error", async () => {
    await using directory = await temporaryDirectory();
    for (const sshProgram of [directory.file("none"), directory.path]) {
      await expect(resolveSshSettings({ host: "box" }, { env, sshProgram })).rejects.toMatchObject({
        code: "ENGINE_MISSING",
      });
    }
  });
});

describe("a program called ssh that is none of OpenSSH's", () => {
  test.each([
    ["an old one", "echo 'unknown option -- G' >&2; echo 'usage: ssh host' >&2; exit 255"],
    ["one that prints something else", "echo hello; exit 0"],
  ])("%s is passed over: the files are read instead", async (_, script) => {
    await using directory = await temporaryDirectory();
    const program = await standIn(directory, script);
    const sshConfig = directory.file("config");
    await writeFile(sshConfig, "User ann\n");
    const settings = await resolveSshSettings(
      { host: "box" },
      { env, sshConfig, sshProgram: program.path },
    );
    expect(settings).toMatchObject({ source: "ssh-config", user: "ann" });
  });

  const dropbear = "/usr/bin/dbclient";
  test.skipIf(!existsSync(dropbear))("Dropbear's client does not get to connect", async () => {
    await using directory = await temporaryDirectory();
    const sshProgram = directory.file("ssh");
    await symlink(dropbear, sshProgram);
    const settings = await resolveSshSettings(
      { host: "box.invalid" },
      { env, sshConfig: false, sshProgram },
    );
    expect(settings.source).toBe("ssh-config");
  });

  test("one that fails without a reason is an error", async () => {
    await using directory = await temporaryDirectory();
    const program = await standIn(directory, "exit 9");
    await expect(
      resolveSshSettings({ host: "box" }, { env, sshProgram: program.path }),
    ).rejects.toMatchObject({
      code: "INVALID_SSH_CONFIG",
      message: expect.stringContaining("ended with 9"),
    });
  });

  test("one that never stops to print is stopped", async () => {
    await using directory = await temporaryDirectory();
    const program = await standIn(directory, "exec yes 'hostile line'");
    await expect(
      resolveSshSettings({ host: "box" }, { env, sshProgram: program.path }),
    ).rejects.toMatchObject({ code: "INVALID_SSH_CONFIG" });
  });
});
