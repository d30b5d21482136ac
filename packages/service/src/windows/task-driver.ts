import { join } from "node:path";
import type { ServiceNames } from "../definition/service-names.ts";
import { commandFailure, outputOf } from "../manager/command-failure.ts";
import type { CommandResult } from "../manager/command-runner.ts";
import type { ServiceRuntime } from "../manager/service-status.ts";
import {
  ACTION_TIMEOUT_MS,
  type Machine,
  QUERY_TIMEOUT_MS,
  type SupervisorDriver,
} from "../manager/supervisor.ts";
import { parseTaskScript, windowsTask } from "./task-script.ts";

const DENIED = /access is denied/iu;
const NO_TASK = /cannot find the (?:file|path) specified|does not exist/iu;
const NOT_RUNNING = /not (?:currently )?running|no running instance/iu;
const END_POLL_MS = 200;
const END_PATIENCE_MS = 10_000;

/** Services as tasks of the Task Scheduler, which start when the user logs on. */
export function taskDriver(machine: Machine): SupervisorDriver {
  const { stateDir, user, run, sleep } = machine;

  function schtasks(args: readonly string[]): Promise<CommandResult> {
    return run("schtasks", args, { timeoutMs: ACTION_TIMEOUT_MS });
  }

  async function act(...args: string[]): Promise<void> {
    const result = await schtasks(args);
    if (result.code !== 0) throw failure(args, result);
  }

  function failure(args: readonly string[], result: CommandResult): Error {
    const command = ["schtasks", ...args];
    return DENIED.test(outputOf(result))
      ? commandFailure(command, result, { code: "ACCESS_DENIED", hints: whenDenied })
      : commandFailure(command, result);
  }

  async function query({ windowsTask: name }: ServiceNames): Promise<CommandResult> {
    const args = ["/Query", "/TN", name, "/V", "/FO", "LIST"];
    const result = await run("schtasks", args, { timeoutMs: QUERY_TIMEOUT_MS });
    if (result.failure !== undefined) throw failure(args, result);
    return result;
  }

  async function end(names: ServiceNames): Promise<void> {
    const args = ["/End", "/TN", names.windowsTask];
    const result = await schtasks(args);
    const isEnded = result.code === 0 || NOT_RUNNING.test(outputOf(result));
    if (!isEnded) throw failure(args, result);
    for (let waited = 0; waited < END_PATIENCE_MS; waited += END_POLL_MS) {
      // One question after the other: each answer decides whether there is another.
      // oxlint-disable-next-line no-await-in-loop
      if (readRuntime((await query(names)).stdout).status !== "running") return;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(END_POLL_MS);
    }
  }

  return {
    supervisor: "schtasks",
    loadedText: "registered",
    notLoadedText: "missing",
    directory: stateDir,
    label: ({ windowsTask: name }) => name,
    definitionPath: ({ scriptName }) => join(stateDir, scriptName),
    render: (definition) => windowsTask(definition, { scriptDirectory: stateDir }).script,
    parse: async (content) => parseTaskScript(Buffer.from(content).toString("utf8")),
    async assertAvailable() {
      const args = ["/Query", "/?"];
      const result = await run("schtasks", args, { timeoutMs: QUERY_TIMEOUT_MS });
      if (result.failure !== undefined) throw failure(args, result);
    },
    isLoaded: async (names) => (await query(names)).code === 0,
    async activate(names, definition) {
      // A task that runs would ignore being started.
      if ((await query(names)).code === 0) await end(names);
      const task = windowsTask(definition, { scriptDirectory: stateDir, user });
      const result = await schtasks(task.createArguments);
      // Some systems let nobody name a user, not even themselves.
      if (result.code !== 0) await act(...task.createArgumentsWithoutUser);
      await act("/Run", "/TN", names.windowsTask);
    },
    async deactivate(names) {
      if ((await query(names)).code !== 0) return;
      await end(names);
      await act("/Delete", "/F", "/TN", names.windowsTask);
    },
    forget: () => Promise.resolve(),
    start: ({ windowsTask: name }) => act("/Run", "/TN", name),
    async stop(names, { disable = false }) {
      await end(names);
      if (disable) await act("/Change", "/TN", names.windowsTask, "/DISABLE");
    },
    async restart(names) {
      await end(names);
      await act("/Run", "/TN", names.windowsTask);
    },
    async runtime(names) {
      const result = await query(names);
      if (result.code === 0) return readRuntime(result.stdout);
      const output = outputOf(result);
      return NO_TASK.test(output)
        ? { status: "stopped", missingUnit: true }
        : { status: "unknown", detail: output };
    },
    warnings: () => Promise.resolve([]),
  };
}

const whenDenied = [
  "Open a shell as administrator (right click, Run as administrator) and try again.",
];

/** `schtasks /Query /V /FO LIST`: one fact a line, in the language of the system. */
function readRuntime(text: string): ServiceRuntime {
  const value = (key: string): string | undefined =>
    new RegExp(String.raw`^${key}:[ \t]*(.*?)\s*$`, "imu").exec(text)?.[1];
  const state = value("Status");
  const lastRunTime = value("Last Run Time");
  const lastRunResult = value("Last Run Result");
  return {
    // Without the English words nothing is known, and nothing is guessed.
    status: state === undefined ? "unknown" : /^running$/iu.test(state) ? "running" : "stopped",
    ...(state === undefined ? {} : { state }),
    ...(lastRunTime === undefined ? {} : { lastRunTime }),
    ...(lastRunResult === undefined ? {} : { lastRunResult }),
  };
}
