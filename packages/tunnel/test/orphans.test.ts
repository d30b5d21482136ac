import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { hasSshd, sshTestRig, temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { createTunnel } from "../src/index.ts";

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(!hasSshd)("what a killed run has left", () => {
  test("is ended by the next tunnel with the same state directory, and nothing else is", async () => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const stateDirectory = directory.file("state");
    // A child that outlives its owner: the owner records it as the engine does, and is killed.
    const owner = spawn(
      process.execPath,
      [
        "--conditions=@openclaw/source",
        fileURLToPath(new URL("orphan-owner.ts", import.meta.url)),
        stateDirectory,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = (await once(owner.stdout, "data")) as [Buffer];
    const { orphan, bystander } = JSON.parse(line.toString()) as {
      orphan: number;
      bystander: number;
    };
    owner.kill("SIGKILL");
    await once(owner, "exit");
    expect(isAlive(orphan)).toBe(true);
    try {
      await using _tunnel = createTunnel(rig.target, {
        identity: rig.identity,
        knownHosts: rig.knownHosts,
        sshConfig: false,
        env: rig.env,
        stateDirectory,
      });
      await vi.waitFor(() => expect(isAlive(orphan)).toBe(false), { timeout: 5_000 });
      expect(isAlive(bystander)).toBe(true);
    } finally {
      process.kill(bystander, "SIGKILL");
    }
  });

  test("a state directory that cannot be read keeps no tunnel from being opened", async () => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const stateDirectory = directory.file("state");
    await writeFile(stateDirectory, "a file, and no directory");
    await using tunnel = createTunnel(rig.target, {
      identity: rig.identity,
      knownHosts: rig.knownHosts,
      sshConfig: false,
      env: rig.env,
      stateDirectory,
    });
    await tunnel.opened();
    expect(await readFile(stateDirectory, "utf8")).toContain("a file");
  });
});
