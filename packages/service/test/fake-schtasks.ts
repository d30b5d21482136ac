import type { CommandResult, CommandRunner } from "../src/index.ts";

export interface FakeTaskSchedulerOptions {
  /** Refuses `/RU`, as systems with a strict policy do. @default false */
  refusesUser?: boolean;
  /** Refuses to make or remove tasks. @default false */
  refusesAll?: boolean;
  /** How often a task still runs after it was ended. @default 0 */
  lingers?: number;
}

interface Task {
  run: string;
  user: string | undefined;
  isRunning: boolean;
  isEnabled: boolean;
  result: string;
  ending?: number;
}

/** A stand-in for the Task Scheduler: keeps tasks, and refuses in the words of the real one. */
export interface FakeTaskScheduler {
  readonly run: CommandRunner;
  readonly calls: readonly (readonly string[])[];
  readonly tasks: Map<string, Task>;
}

export function createFakeTaskScheduler(options: FakeTaskSchedulerOptions = {}): FakeTaskScheduler {
  const tasks = new Map<string, Task>();
  const calls: string[][] = [];

  function create(name: string, value: (flag: string) => string | undefined): CommandResult {
    const user = value("/RU");
    const isRefused = options.refusesAll === true || (options.refusesUser && user !== undefined);
    if (isRefused === true) return failed("ERROR: Access is denied.");
    const task = tasks.get(name);
    tasks.set(name, {
      run: value("/TR") ?? "",
      user,
      // A new definition does not end what runs.
      isRunning: task?.isRunning ?? false,
      isEnabled: true,
      result: "267011",
    });
    return done(`SUCCESS: The scheduled task "${name}" has successfully been created.`);
  }

  function query(name: string, task: Task, wantsXml: boolean): CommandResult {
    if (task.ending !== undefined && (task.ending -= 1) < 0) {
      task.isRunning = false;
      task.result = "1";
      delete task.ending;
    }
    if (wantsXml) {
      return done(
        `<?xml version="1.0"?><Task><Actions><Exec><Command>${task.run}</Command></Exec></Actions></Task>`,
      );
    }
    const status = task.isEnabled ? (task.isRunning ? "Running" : "Ready") : "Disabled";
    return done(
      [
        "",
        "Folder: \\",
        "HostName:                             BOX",
        `TaskName:                             \\${name}`,
        "Next Run Time:                        N/A",
        `Status:                               ${status}`,
        "Logon Mode:                           Interactive only",
        "Last Run Time:                        11/21/2026 1:45:07 PM",
        `Last Run Result:                      ${task.isRunning ? "267009" : task.result}`,
        "Author:                               BOX\\me",
        `Task To Run:                          ${task.run}`,
        "",
      ].join("\r\n"),
    );
  }

  function schtasks(args: readonly string[]): CommandResult {
    const value = (flag: string): string | undefined => {
      const index = args.indexOf(flag);
      return index === -1 ? undefined : args[index + 1];
    };
    const name = value("/TN");
    if (args[0] === "/Query" && name === undefined) {
      if (args.includes("/?")) return done("SCHTASKS /Query [/S system …");
      const lines = [...tasks.keys()].map((task) => `"\\${task}","N/A","Ready"`);
      return done(
        [`"\\Microsoft\\Windows\\Defrag\\ScheduledDefrag","N/A","Ready"`, ...lines, ""].join(
          "\r\n",
        ),
      );
    }
    if (name === undefined) return failed("ERROR: Invalid syntax.");
    if (args[0] === "/Create") return create(name, value);
    const task = tasks.get(name);
    if (task === undefined) return failed("ERROR: The system cannot find the file specified.");
    switch (args[0]) {
      case "/Query":
        return query(name, task, args.includes("/XML"));
      case "/Run":
        // As it is made, a task that runs is not started twice, and the caller hears of no trouble.
        task.isRunning = true;
        return done(`SUCCESS: Attempted to run the scheduled task "${name}".`);
      case "/End":
        if (!task.isRunning) return failed("ERROR: There is no running instance of the task.");
        task.ending = options.lingers ?? 0;
        return done(`SUCCESS: The scheduled task "${name}" has been terminated successfully.`);
      case "/Delete":
        if (options.refusesAll === true) return failed("ERROR: Access is denied.");
        tasks.delete(name);
        return done(`SUCCESS: The scheduled task "${name}" was successfully deleted.`);
      case "/Change":
        task.isEnabled = !args.includes("/DISABLE");
        return done(`SUCCESS: The parameters of scheduled task "${name}" have been changed.`);
      default:
        return failed("ERROR: Invalid syntax.");
    }
  }

  return {
    tasks,
    calls,
    async run(file, args) {
      calls.push([file, ...args]);
      return file === "schtasks"
        ? schtasks(args)
        : { code: null, stdout: "", stderr: `spawn ${file} ENOENT`, failure: "missing" };
    },
  };
}

function done(stdout: string): CommandResult {
  return { code: 0, stdout, stderr: "" };
}

function failed(stderr: string): CommandResult {
  return { code: 1, stdout: "", stderr };
}
