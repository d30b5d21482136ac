import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { CommandError } from "@openclaw/node-core";
import { describe, expect, test, vi } from "vitest";
import { commandBench, type CommandBench } from "./command-bench.ts";

const node = process.execPath;
const isLinux = process.platform === "linux";
const isWindows = process.platform === "win32";

const script = (code: string): string[] => [node, "-e", code];

function live(bench: CommandBench): { stream: string; text: string }[] {
  return bench.progress.map((chunk) => JSON.parse(chunk) as { stream: string; text: string });
}

/** Living processes that have `needle` in their command line. */
function survivors(needle: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      const isZombie = / Z /.test(readFileSync(`/proc/${name}/stat`, "latin1"));
      return !isZombie && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(needle);
    } catch {
      return false;
    }
  });
}

describe("system.run", () => {
  test("executes an argv and returns what it wrote", async () => {
    const bench = commandBench();
    const result = await bench.call("system.run", {
      command: script("console.log('out'); console.error('err')"),
    });
    expect(result).toEqual({
      exitCode: 0,
      timedOut: false,
      success: true,
      stdout: "out\n",
      stderr: "err\n",
      error: null,
    });
  });

  test("answers with the exit code of a program that fails", async () => {
    const result = await commandBench().call("system.run", { command: script("process.exit(3)") });
    expect(result).toMatchObject({ exitCode: 3, success: false, timedOut: false, error: null });
  });

  test("passes arguments on as they are, without a shell", async () => {
    const nasty = ["$(touch owned)", "; touch owned", "`touch owned`", "a b", "*", "", "'\""];
    const bench = commandBench();
    const { stdout } = await bench.call("system.run", {
      command: [...script("console.log(JSON.stringify(process.argv.slice(1)))"), "--", ...nasty],
    });
    expect(JSON.parse(String(stdout))).toEqual(nasty);
    expect(existsSync(join(bench.directory, "owned"))).toBe(false);
  });

  test("runs in the folder it is given, and in its own otherwise", async () => {
    const bench = commandBench();
    mkdirSync(join(bench.directory, "sub"));
    const where = async (cwd?: string): Promise<unknown> =>
      (await bench.call("system.run", { command: script("console.log(process.cwd())"), cwd }))
        .stdout;
    expect(await where()).toBe(`${bench.directory}\n`);
    expect(await where("sub")).toBe(`${join(bench.directory, "sub")}\n`);
    expect(await where(join(bench.directory, "sub"))).toBe(`${join(bench.directory, "sub")}\n`);
  });

  test("tells what could not be started as an answer, not as an error", async () => {
    const bench = commandBench();
    expect(await bench.call("system.run", { command: ["no-such-program"] })).toMatchObject({
      exitCode: null,
      success: false,
      error: "command not found: no-such-program",
    });
    expect(await bench.call("system.run", { command: [node], cwd: "missing" })).toMatchObject({
      exitCode: null,
      error: `no such folder: ${join(bench.directory, "missing")}`,
    });
    expect(await bench.call("system.run", { command: [node, "-e", "null \0 byte"] })).toMatchObject(
      { exitCode: null, success: false, error: expect.stringContaining("null bytes") },
    );
  });

  test("needs a command", async () => {
    const bench = commandBench();
    await expect(bench.call("system.run", { command: [] })).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
    await expect(bench.call("system.run")).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: "Error: INVALID_REQUEST: paramsJSON required",
    });
  });

  test("refuses a plan that is not what it shall run", async () => {
    const bench = commandBench();
    const command = script("1");
    await expect(
      bench.call("system.run", { command, systemRunPlan: { argv: [node, "-e", "2"], cwd: null } }),
    ).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(
      await bench.call("system.run", { command, systemRunPlan: { argv: command, cwd: null } }),
    ).toMatchObject({ success: true });
  });

  test("tells the session, before the result", async () => {
    const bench = commandBench();
    await bench.call("system.run", { command: script("console.log('x y')"), runId: "r1" });
    expect(bench.events).toEqual([
      {
        event: "exec.finished",
        payload: {
          sessionKey: "node",
          runId: "r1",
          host: "node",
          command: `${node} -e 'console.log('\\''x y'\\'')'`,
          exitCode: 0,
          timedOut: false,
          success: true,
          output: "x y\n",
        },
      },
    ]);
  });
});

describe("the environment of a command", () => {
  const printEnv = script("console.log(JSON.stringify(process.env))");
  const envOf = async (
    bench: CommandBench,
    env: Record<string, string>,
  ): Promise<NodeJS.ProcessEnv> => {
    const { stdout } = await bench.call("system.run", { command: printEnv, env });
    return JSON.parse(String(stdout)) as NodeJS.ProcessEnv;
  };

  test("is that of the node without its credentials, and with what the caller adds", async () => {
    const env = await envOf(
      commandBench({
        env: {
          PATH: "/usr/bin",
          HOME: "/home/u",
          OPENCLAW_GATEWAY_TOKEN: "t",
          OPENCLAW_GATEWAY_PASSWORD: "p",
        },
      }),
      { GREETING: "hello" },
    );
    expect(env).toMatchObject({ HOME: "/home/u", GREETING: "hello" });
    expect(JSON.stringify(env)).not.toMatch(/OPENCLAW_GATEWAY/);
  });

  test("takes no variable that changes which code an interpreter loads", async () => {
    const forbidden = {
      NODE_OPTIONS: "--require=/tmp/x",
      PYTHONHOME: "x",
      PYTHONPATH: "x",
      PERL5LIB: "x",
      PERL5OPT: "x",
      RUBYOPT: "x",
      LD_PRELOAD: "x",
      DYLD_INSERT_LIBRARIES: "x",
      ld_library_path: "x",
    };
    const env = await envOf(commandBench({ env: { PATH: "/usr/bin" } }), forbidden);
    for (const name of Object.keys(forbidden)) expect(env[name]).toBeUndefined();
  });

  test("extends PATH only in front", async () => {
    const bench = commandBench({ env: { PATH: "/usr/bin" } });
    const extended = `/opt/x${delimiter}/usr/bin`;
    expect((await envOf(bench, { PATH: extended }))["PATH"]).toBe(extended);
    expect((await envOf(bench, { PATH: "/opt/x" }))["PATH"]).toBe("/usr/bin");
    expect((await envOf(bench, { PATH: `/usr/bin${delimiter}/opt/x` }))["PATH"]).toBe("/usr/bin");
  });
});

describe("output", () => {
  test("is cut at 200 000 bytes of both streams together, marked, and read to the end", async () => {
    const bench = commandBench();
    const result = await bench.call("system.run", {
      command: script(
        "process.stdout.write('ü'.repeat(90_000)); process.stderr.write('é'.repeat(500_000), () => process.exit(7))",
      ),
    });
    expect(result["exitCode"]).toBe(7);
    const stdout = String(result["stdout"]);
    const stderr = String(result["stderr"]);
    expect(stdout + stderr).not.toContain("\ufffd");
    const marks = /\n\.\.\. \(truncated\)\n/g;
    expect(`${stdout}${stderr}`.match(marks)?.length).toBeGreaterThanOrEqual(1);
    const bytes = Buffer.byteLength(`${stdout}${stderr}`.replaceAll(marks, ""));
    expect(bytes).toBeLessThanOrEqual(200_000);
    expect(bytes).toBeGreaterThan(199_990);
  });

  test("comes live, in pieces that are whole JSON and whole characters", async () => {
    const bench = commandBench();
    const result = await bench.call("system.run", {
      command: script(
        "process.stdout.write('🦞\"\\n\\u0001'.repeat(12_000)); process.stderr.write('done')",
      ),
    });
    const pieces = live(bench);
    for (const chunk of bench.progress) expect(chunk.length).toBeLessThanOrEqual(16_384);
    const text = (stream: string): string =>
      pieces
        .filter((piece) => piece.stream === stream)
        .map((piece) => piece.text)
        .join("");
    expect(text("stdout")).toBe(result["stdout"]);
    expect(text("stdout")).toBe('🦞"\n\u0001'.repeat(12_000));
    expect(text("stderr")).toBe("done");
    for (const piece of pieces) expect(piece.text.isWellFormed()).toBe(true);
  });

  test("is seen while the command runs", async () => {
    const bench = commandBench();
    const running = bench.call("system.run", {
      command: script("console.log('begun'); process.stdin.resume(); setInterval(() => {}, 1000)"),
    });
    await vi.waitFor(() => expect(live(bench)).toEqual([{ stream: "stdout", text: "begun\n" }]));
    bench.controller.abort(new CommandError("ABORTED", "enough"));
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("stopping", () => {
  test("timeoutMs ends the command with exit code 124, and keeps its output", async () => {
    const result = await commandBench().call("system.run", {
      command: script("console.log('so far'); setInterval(() => {}, 1000)"),
      timeoutMs: 700,
    });
    expect(result).toMatchObject({
      exitCode: 124,
      timedOut: true,
      success: false,
      stdout: "so far\n",
    });
  });

  test("the deadline of the invocation is told in the same way", async () => {
    const bench = commandBench();
    const running = bench.call("system.run", {
      command: script("console.log('so far'); setInterval(() => {}, 1000)"),
    });
    await vi.waitFor(() => expect(bench.progress).toHaveLength(1));
    bench.controller.abort(new CommandError("TIMEOUT", "too late"));
    expect(await running).toMatchObject({ exitCode: 124, timedOut: true, stdout: "so far\n" });
  });

  test.skipIf(isWindows)("a command that ignores SIGTERM is killed", async () => {
    const bench = commandBench();
    const running = bench.call("system.run", {
      command: script(
        "process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 1000)",
      ),
    });
    await vi.waitFor(() => expect(bench.progress.join("")).toContain("up"));
    bench.controller.abort(new CommandError("ABORTED", "enough"));
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
    expect(bench.progress.join("")).toContain("no");
  });

  test.skipIf(!isLinux)("leaves no process, however it tried to get away", async () => {
    const bench = commandBench();
    const mark = `survivor-${process.pid}-${Date.now()}`;
    const fixture = fileURLToPath(new URL("fixtures/forker.mjs", import.meta.url));
    const running = bench.call("system.run", { command: [node, fixture, mark] });
    await vi.waitFor(() => expect(survivors(mark).length).toBeGreaterThanOrEqual(5), {
      timeout: 10_000,
    });
    bench.controller.abort(new CommandError("ABORTED", "enough"));
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
    expect(survivors(mark)).toEqual([]);
  });

  test.skipIf(isWindows)(
    "does not wait for what a finished command left in the background",
    async () => {
      const bench = commandBench();
      const result = await bench.call("system.run", {
        command: ["/bin/sh", "-c", "echo started; sleep 20 & echo $!"],
      });
      expect(result).toMatchObject({ exitCode: 0, success: true });
      const pid = Number(/(\d+)\s*$/.exec(String(result["stdout"]))?.[1]);
      expect(process.kill(pid, 0)).toBe(true);
      process.kill(pid, "SIGKILL");
    },
  );
});

describe("system.which", () => {
  test.skipIf(isWindows)(
    "finds programs in PATH, and leaves out what is missing or not executable",
    async () => {
      const bench = commandBench();
      const bin = join(bench.directory, "bin");
      mkdirSync(join(bin, "folder"), { recursive: true });
      for (const name of ["tool", "data"]) writeFileSync(join(bin, name), "#!/bin/sh\n");
      chmodSync(join(bin, "tool"), 0o755);
      const other = commandBench({ env: { PATH: `/nowhere${delimiter}${bin}` } });
      expect(
        await other.call("system.which", { bins: ["tool", "data", "folder", "missing"] }),
      ).toEqual({ bins: { tool: join(bin, "tool") } });
    },
  );
});

describe("system.run.prepare", () => {
  test("tells what would run and under which policy, and runs nothing", async () => {
    const bench = commandBench();
    const command = script("require('fs').writeFileSync('owned', '')");
    expect(await bench.call("system.run.prepare", { command, agentId: "main" })).toMatchObject({
      plan: { argv: command, cwd: bench.directory, agentId: "main", sessionKey: null },
      execPolicy: { security: "full", ask: "off" },
    });
    expect(existsSync(join(bench.directory, "owned"))).toBe(false);
  });
});
