import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TemporaryDirectory } from "@openclaw/testkit";
import { vi } from "vitest";

/** A `systemctl` and a `loginctl` that keep their state in files, and run what a unit says. */
export interface FakeSystemd extends AsyncDisposable {
  /** Puts them in front of everything else. */
  readonly env: { PATH: string };
  /** A Node that runs the program of this checkout from its source, for `--runtime-path`. */
  readonly node: string;
  unit(name: string): Promise<string>;
  /** Makes `systemctl` answer as in a container. */
  breakBus(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** Runs a unit's command and writes down which process it is and how it ended. */
const SUPERVISOR = `
const { spawn } = require("node:child_process");
const { writeFileSync } = require("node:fs");
const [state, unit] = process.argv.slice(2);
const { argv, env } = JSON.parse(unit);
const child = spawn(argv[0], argv.slice(1), { env, stdio: "ignore" });
const write = (value) => writeFileSync(state, JSON.stringify(value));
write({ pid: child.pid, supervisor: process.pid });
child.on("exit", (code, signal) => write({ pid: 0, code: code ?? 15, reason: signal ? 2 : 1 }));
`;

const SYSTEMCTL = `
const { spawn } = require("node:child_process");
const { existsSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const here = __dirname;
const [, verb, ...rest] = process.argv.slice(2);
const unit = rest.find((word) => word.endsWith(".service"));
const units = join(process.env.HOME, ".config/systemd/user");
const state = join(here, unit + ".json");
const enabled = join(here, unit + ".enabled");
const fail = (text, code = 1) => { console.error(text); process.exit(code); };
const read = () => { try { return JSON.parse(readFileSync(state, "utf8")); } catch { return {}; } };
const wait = (isSo) => { while (!isSo()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20); };
const stop = () => {
  const { pid } = read();
  if (pid > 0) { process.kill(pid, "SIGTERM"); wait(() => !read().pid); }
};
const start = () => {
  if (read().pid > 0) return;
  const lines = readFileSync(join(units, unit), "utf8").split("\\n");
  const value = (key) => lines.filter((line) => line.startsWith(key + "=")).map((line) => line.slice(key.length + 1));
  const env = Object.fromEntries(value("Environment").map((line) => line.replace(/^"(.*)"$/, "$1").split(/=(.*)/s)));
  rmSync(state, { force: true });
  const argv = value("ExecStart")[0].split(" ");
  spawn(process.execPath, [join(here, "supervisor.cjs"), state, JSON.stringify({ argv, env })], { detached: true, stdio: "ignore" }).unref();
  wait(() => existsSync(state) && "pid" in read());
};
if (existsSync(join(here, "broken"))) fail("Failed to connect to bus: No such file or directory");
switch (verb) {
  case "is-system-running": console.log("running"); break;
  case "daemon-reload": case "reset-failed": break;
  case "enable": writeFileSync(enabled, ""); break;
  case "disable": rmSync(enabled, { force: true }); if (rest.includes("--now")) stop(); break;
  case "is-enabled":
    if (!existsSync(join(units, unit))) fail("Failed to get unit file state for " + unit + ": No such file or directory");
    console.log(existsSync(enabled) ? "enabled" : "disabled");
    process.exit(existsSync(enabled) ? 0 : 1);
    break;
  case "start": start(); break;
  case "stop": stop(); break;
  case "restart": stop(); start(); break;
  case "show": {
    const { pid = 0, code = 0, reason = 0 } = read();
    const active = pid > 0 ? "active" : reason && code ? "failed" : "inactive";
    console.log("MainPID=" + pid + "\\nExecMainCode=" + reason + "\\nExecMainStatus=" + code);
    console.log("ActiveState=" + active + "\\nSubState=" + (pid > 0 ? "running" : active === "failed" ? "failed" : "dead"));
    break;
  }
  default: fail("Unknown command verb '" + verb + "'.");
}
`;

export async function createFakeSystemd(home: TemporaryDirectory): Promise<FakeSystemd> {
  const bin = home.file("fake-bin");
  await mkdir(bin);
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(bin, name), text);
    await chmod(join(bin, name), 0o755);
  };
  await write("supervisor.cjs", SUPERVISOR);
  await write("systemctl.cjs", SYSTEMCTL);
  await write("systemctl", `#!/bin/sh\nexec "${process.execPath}" "${bin}/systemctl.cjs" "$@"\n`);
  await write("loginctl", `#!/bin/sh\n[ "$1" = show-user ] && echo Linger=no\n`);
  // Behind the program stand the file of variables, the entry point, and then its words.
  await write(
    "node",
    `#!/bin/sh\nvariables=$1\nshift 2\nexec "${process.execPath}" --conditions=@openclaw/source "$variables" "${MAIN}" "$@"\n`,
  );
  return {
    env: { PATH: `${bin}:${process.env["PATH"]}` },
    node: join(bin, "node"),
    unit: (name) => readFile(home.file(".config/systemd/user", name), "utf8"),
    breakBus: () => writeFile(join(bin, "broken"), ""),
    async [Symbol.asyncDispose]() {
      const states = (await readdir(bin)).filter((name) => name.endsWith(".service.json"));
      await Promise.all(states.map((name) => endService(join(bin, name))));
    },
  };
}

/** Ends what a unit runs, and waits until its supervisor has written that down. */
async function endService(state: string): Promise<void> {
  const pidOf = async (): Promise<number> =>
    (JSON.parse(await readFile(state, "utf8")) as { pid: number }).pid;
  const pid = await pidOf();
  if (pid === 0) return;
  process.kill(pid, "SIGKILL");
  await vi.waitFor(async () => {
    if ((await pidOf()) !== 0) throw new Error(`${pid} has not ended`);
  });
}
