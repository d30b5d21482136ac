import { spawn } from "node:child_process";
import { constants } from "node:os";

// Every child leads a process group of its own, so that whatever it starts can be ended with it.
// The terminal's Ctrl-C reaches only this process, which hands it on once.

const isWindows = process.platform === "win32";
/** How long a child may take to end after a signal. */
const GRACE_MS = 10_000;
/** How often we look whether our parent is still there. */
const PARENT_CHECK_MS = 500;

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set();
let isHandlingSignals = false;
/** @type {NodeJS.Signals | undefined} */
let received;

/**
 * @typedef {object} ChildOptions
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} env
 * @property {(line: string) => void} [onLine] takes the output line by line; without it the child
 *   writes to our own terminal
 */

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ChildOptions} options
 * @returns {Promise<number>} its exit code; 128 + n when signal n ended it, 127 when it is missing
 */
export async function runChild(command, args, { cwd, env, onLine }) {
  handleSignals();
  if (received !== undefined) return 128 + constants.signals[received];
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: onLine === undefined ? "inherit" : ["ignore", "pipe", "pipe"],
    detached: !isWindows,
    // npx and its like are batch files there.
    shell: isWindows && /^(?:npm|npx)$/u.test(command),
  });
  children.add(child);
  if (onLine !== undefined) {
    for (const stream of [child.stdout, child.stderr]) splitLines(stream, onLine);
  }
  try {
    return await new Promise((resolve) => {
      child.once("error", (error) => {
        (onLine ?? console.error)(`${command}: ${error.message}`);
        resolve(127);
      });
      child.once("close", (code, signal) => {
        resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
      });
      // What holds our pipes open after its parent's end would keep "close" from coming.
      child.once("exit", () => killGroup(child, "SIGKILL"));
    });
  } finally {
    children.delete(child);
  }
}

/** The signal that asked this process to end, if one did. */
export function receivedSignal() {
  return received;
}

function handleSignals() {
  if (isHandlingSignals) return;
  isHandlingSignals = true;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => endChildren(signal));
  }
  // npm hands a signal to the shell that runs the script, and the shell dies of it in silence.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && received === undefined) endChildren("SIGTERM");
  }, PARENT_CHECK_MS).unref();
}

/** @param {NodeJS.Signals} signal */
function endChildren(signal) {
  const isSecond = received !== undefined;
  received = signal;
  for (const child of children) killGroup(child, isSecond ? "SIGKILL" : signal);
  setTimeout(() => {
    for (const child of children) killGroup(child, "SIGKILL");
  }, GRACE_MS).unref();
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function killGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    if (isWindows) {
      if (child.exitCode === null) {
        spawn("taskkill", ["/pid", String(child.pid), "/T", "/F"], { stdio: "ignore" });
      }
    } else {
      process.kill(-child.pid, signal);
    }
  } catch {
    // The group is gone already.
  }
}

/**
 * @param {import("node:stream").Readable | null} stream
 * @param {(line: string) => void} onLine
 */
function splitLines(stream, onLine) {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (/** @type {string} */ chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
  stream?.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
