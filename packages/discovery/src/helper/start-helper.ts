import { type ChildProcess, fork } from "node:child_process";
import { dirname } from "node:path";
import process from "node:process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { type HelperReport, type HelperTask, readReport } from "./messages.ts";

/** A helper process that runs. */
export interface Helper {
  readonly pid: number | undefined;
  /** Tells it something; nothing happens when it is gone. */
  tell(task: HelperTask): void;
  /** Ends it at once. */
  kill(): void;
  /** Settles once, when the process is gone, and never rejects. */
  readonly exited: Promise<HelperExit>;
}

/** How a helper ended. */
export interface HelperExit {
  /** For a log line: the signal, the code, or why there never was a process. */
  readonly reason: string;
}

/** Bytes of stderr that are kept for the log: the reason stands at the end. */
const KEPT_STDERR_CHARS = 1_000;

const isSource = import.meta.url.endsWith(".ts");
/** Beside this file where the source runs, beside the bundle where that does. */
const ENTRY = fileURLToPath(
  new URL(isSource ? "./discovery-helper.ts" : "./discovery-helper.js", import.meta.url),
);

/**
 * Starts the process that speaks multicast DNS. It gets no argument and no environment, may not start
 * programs nor write files where Node can forbid that, and ends by itself when this process does.
 *
 * @param onReport told what the helper says
 */
export function startHelper(onReport: (report: HelperReport) => void): Helper {
  const exited = Promise.withResolvers<HelperExit>();
  let child: ChildProcess;
  try {
    child = fork(ENTRY, [], {
      execArgv: restrictions(),
      env: systemEnvironment(),
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
  } catch (error) {
    exited.resolve({ reason: error instanceof Error ? error.message : String(error) });
    return { pid: undefined, tell: () => {}, kill: () => {}, exited: exited.promise };
  }
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = `${stderr}${chunk.toString("utf8")}`.slice(-KEPT_STDERR_CHARS);
  });
  child.on("message", (message) => {
    const report = readReport(message);
    if (report !== undefined) onReport(report);
  });
  child.once("error", (error) => exited.resolve({ reason: error.message }));
  child.once("close", (code, signal) => {
    const [lastLine] = stderr.trim().split("\n").slice(-1);
    const told = lastLine === undefined || lastLine === "" ? "" : `: ${lastLine}`;
    exited.resolve({ reason: `${signal ?? `exit ${code}`}${told}` });
  });
  // Nobody waits for a helper: neither the process nor its pipes keep this one alive.
  child.unref();
  child.channel?.unref();
  (child.stderr as Socket | null)?.unref();
  return {
    pid: child.pid,
    tell: (task) => {
      if (child.connected) child.send(task, () => {});
    },
    kill: () => void child.kill("SIGKILL"),
    exited: exited.promise,
  };
}

/** What the helper may do: read its own code and speak on the network. */
function restrictions(): string[] {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  // The releases between, long out of support, know the switch by another name.
  if (major < 22 || (major === 23 && minor < 5)) return [];
  return [
    "--permission",
    // The source loads packages from all over the workspace.
    `--allow-fs-read=${isSource ? "*" : dirname(ENTRY)}`,
    // Before that, the network was not restricted.
    ...(major >= 25 ? ["--allow-net"] : []),
  ];
}

/** Without it, sockets do not work on Windows; nothing else is passed on, secrets least of all. */
function systemEnvironment(): NodeJS.ProcessEnv {
  // oxlint-disable-next-line node/no-process-env -- a property of the system, not a setting
  const { SystemRoot } = process.env;
  return SystemRoot === undefined ? {} : { SystemRoot };
}
