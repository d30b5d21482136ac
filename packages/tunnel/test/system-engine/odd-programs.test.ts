import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasSshd, sshTestRig } from "@openclaw/testkit";
import type { SshTestRig } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import type { Logger } from "../../src/logger.ts";
import { isRunning, openTo } from "./support.ts";

/** A program that is ssh when it is asked questions, and a script when it is to connect. */
async function oddSsh(rig: SshTestRig, script: readonly string[]): Promise<string> {
  const path = join(rig.home, "odd-ssh");
  const lines = ["#!/bin/sh", 'case "$1" in -G|-V) exec /usr/bin/ssh "$@" ;; esac', ...script];
  await writeFile(path, `${lines.join("\n")}\n`);
  await chmod(path, 0o700);
  return path;
}

const TOUCHED = [
  "echo 'debug1: SSH2_MSG_NEWKEYS received' >&2",
  "echo 'debug1: Server accepts key: /home/me/.ssh/id_sk ED25519-SK SHA256:abc explicit authenticator' >&2",
];

describe.skipIf(!hasSshd)("an ssh", () => {
  test("that waits for a security key says so, and gets more time", async () => {
    await using rig = await sshTestRig();
    const told: unknown[] = [];
    const note = (fields: object, message: string): void => {
      told.push([fields, message]);
    };
    const silent = (): void => {};
    const logger: Logger = { debug: silent, info: note, warn: silent, error: silent };
    const sshProgram = await oddSsh(rig, [
      ...TOUCHED,
      // Longer than the whole connection may take.
      "sleep 4.5",
      "echo 'debug1: Next authentication method: publickey' >&2",
      "echo 'me@box: Permission denied (publickey).' >&2",
      "exit 255",
    ]);
    await expect(
      openTo(rig, {
        engine: { sshProgram },
        options: { logger, connectTimeoutMs: 4_000 },
      }),
    ).rejects.toMatchObject({
      code: "AGENT_LOCKED",
      final: false,
      hint: expect.stringContaining("touch"),
    });
    expect(told).toEqual([[{ key: "/home/me/.ssh/id_sk" }, "touch the security key to log in"]]);
  });

  test("that ends without a word that is known is quoted", async () => {
    await using rig = await sshTestRig();
    const sshProgram = await oddSsh(rig, ["printf 'out of \\033[1mcheese\\n' >&2", "exit 7"]);
    await expect(openTo(rig, { engine: { sshProgram } })).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      final: false,
      details: { exitCode: 7, stderr: "out of [1mcheese" },
    });
  });

  test("that is killed ends the connection, which may be tried again", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    process.kill(connection.info.pid ?? 0, "SIGKILL");
    expect(await connection.closed).toMatchObject({
      code: "ENGINE_FAILED",
      final: false,
      message: expect.stringContaining("SIGKILL"),
    });
    expect(isRunning(connection.info.pid)).toBe(false);
  });

  test("that writes without end does not fill this process, and is not waited for", async () => {
    await using rig = await sshTestRig();
    const sshProgram = await oddSsh(rig, ["exec cat /dev/zero >&2"]);
    await expect(
      openTo(rig, { engine: { sshProgram }, options: { connectTimeoutMs: 1_000 } }),
    ).rejects.toMatchObject({ code: "TIMED_OUT" });
  });
});
