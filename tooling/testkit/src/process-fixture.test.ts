import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { startProcess } from "./process-fixture.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** State letter of a process as Linux shows it; undefined when there is none. */
async function stateOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(")") + 2)[0];
}

async function gone(pid: number): Promise<void> {
  await vi.waitFor(async () => expect([undefined, "Z"]).toContain(await stateOf(pid)), 5_000);
}

test("lines are found whether they were written before or come later", async () => {
  await using child = startProcess("sh", ["-c", "echo first; echo port 4711 >&2; sleep 60"]);

  expect((await child.line(/port (\d+)/))[1]).toBe("4711");
  await child.line("first");
  expect(child.stdout).toBe("first\n");
  expect(child.stderr).toBe("port 4711\n");
});

test("a line that never came is an error that shows the output and the end", async () => {
  await using child = startProcess("sh", ["-c", "echo oops >&2; exit 3"]);

  await expect(child.line("ready")).rejects.toThrow(/ended with 3 before ready:\nstderr: oops/);
  expect(await child.exited).toEqual({ code: 3, signal: null });
});

test("the environment is the one that was given", async () => {
  await using child = startProcess("sh", ["-c", "echo [$HOME$USER][$GIVEN]"], {
    env: { GIVEN: "yes" },
  });

  await child.exited;
  expect(child.stdout).toBe("[][yes]\n");
});

test("killing ends the whole tree", async () => {
  await using child = startProcess("sh", ["-c", "sleep 60 & echo child $!; wait"]);
  const grandchild = Number((await child.line(/child (\d+)/))[1]);

  expect(await child.kill()).toEqual({ code: null, signal: "SIGKILL" });

  await gone(grandchild);
});

test.runIf(process.platform === "linux")("a frozen process stands still and goes on", async () => {
  await using child = startProcess("sh", ["-c", "echo up; exec sleep 60"]);
  await child.line("up");

  child.freeze();
  await vi.waitFor(async () => expect(await stateOf(child.pid)).toBe("T"));
  child.thaw();
  await vi.waitFor(async () => expect(await stateOf(child.pid)).not.toBe("T"));
});

test("stopping asks first, and insists when the time is up", async () => {
  await using polite = startProcess("sh", ["-c", "trap 'exit 0' TERM; echo up; sleep 60 & wait"]);
  await polite.line("up");
  polite.freeze();
  expect(await polite.stop()).toEqual({ code: 0, signal: null });

  await using deaf = startProcess("sh", ["-c", "trap '' TERM; echo up; while :; do sleep 1; done"]);
  await deaf.line("up");
  expect(await deaf.stop(20)).toEqual({ code: null, signal: "SIGKILL" });
});

test.runIf(process.platform === "linux")(
  "processes end with the test process even when that is killed",
  async () => {
    const fixture = fileURLToPath(new URL("./process-fixture.ts", import.meta.url));
    const script = `
      const { startProcess } = await import(${JSON.stringify(fixture)});
      const child = startProcess("sh", ["-c", "sleep 61 & wait"]);
      console.log("child", child.pid);
    `;
    await using owner = startProcess(process.execPath, ["--input-type=module", "-e", script]);
    const pid = Number((await owner.line(/child (\d+)/))[1]);

    owner.signal("SIGKILL");
    await owner.exited;

    await expect(gone(pid)).resolves.toBeUndefined();
  },
);

test("a temporary directory is gone after the test", async () => {
  let path: string;
  {
    await using directory = await temporaryDirectory();
    path = directory.file("missing.txt");
    expect(await stateOf(process.pid)).toBeDefined();
  }
  await expect(readFile(path)).rejects.toMatchObject({ code: "ENOENT" });
});
