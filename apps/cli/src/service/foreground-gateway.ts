import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type GatewayInstance, isAlive, readInstance } from "@openclaw/gateway/instance-file";

const POLL_MS = 50;
/** A process cannot have written the file before it was started, give or take the clocks' grain. */
const CLOCK_SLACK_MS = 2_000;
const LOOKS_LIKE_GATEWAY =
  /(?:openclaw|clawdbot|moltbot)[^\n]*\bgateway\b|openclaw-gateway|\bgateway\b[^\n]*(?:openclaw|clawdbot|moltbot)/iu;
/** The program and the daemon start anew at SIGUSR2; another program that embeds a Gateway may end. */
const TAKES_RESTART =
  /(?:openclaw|clawdbot|moltbot)(?:\.[cm]?js)? (?:[^\n]* )?gateway(?: |$)|openclaw-gateway/iu;

/** A Gateway that runs with a state directory, whoever has started it. */
export interface RunningGateway {
  readonly instance: GatewayInstance;
  /** Whether it starts anew when it is asked to. */
  readonly takesRestart: boolean;
}

/**
 * The Gateway that uses this state directory, if the process that says so is really one: the number
 * of a dead process may be somebody else's by now.
 */
export async function findRunningGateway(stateDir: string): Promise<RunningGateway | undefined> {
  const instance = readInstance(stateDir);
  if (instance === undefined || !isAlive(instance.pid)) return undefined;
  const line = await commandLineOf(instance.pid);
  if (line === undefined || !LOOKS_LIKE_GATEWAY.test(line)) return undefined;
  const startedAtMs = processStart(instance.pid);
  const isLater = startedAtMs !== undefined && startedAtMs > instance.startedAtMs + CLOCK_SLACK_MS;
  if (isLater) return undefined;
  return { instance, takesRestart: process.platform !== "win32" && TAKES_RESTART.test(line) };
}

/**
 * Ends a Gateway with SIGTERM, and with `force` with SIGKILL when it does not end in time. Returns
 * whether it has ended.
 */
export async function endGateway(
  pid: number,
  { timeoutMs, force }: { timeoutMs: number; force: boolean },
): Promise<boolean> {
  process.kill(pid, "SIGTERM");
  if (await becomes(() => !isAlive(pid), timeoutMs)) return true;
  if (!force) return false;
  process.kill(pid, "SIGKILL");
  return becomes(() => !isAlive(pid), timeoutMs);
}

/** Asks a Gateway to start anew; answers with the next generation, or undefined when none came. */
export async function restartGateway(
  stateDir: string,
  { instance }: RunningGateway,
  timeoutMs: number,
): Promise<GatewayInstance | undefined> {
  process.kill(instance.pid, "SIGUSR2");
  return awaitInstance(stateDir, timeoutMs, (next) => next.startedAtMs !== instance.startedAtMs);
}

/** Waits until a Gateway has written where it listens. */
export async function awaitInstance(
  stateDir: string,
  timeoutMs: number,
  isWanted: (instance: GatewayInstance) => boolean,
): Promise<GatewayInstance | undefined> {
  let found: GatewayInstance | undefined;
  await becomes(() => {
    const instance = readInstance(stateDir);
    const isThere = instance !== undefined && isAlive(instance.pid) && isWanted(instance);
    found = isThere ? instance : undefined;
    return isThere;
  }, timeoutMs);
  return found;
}

/** Waits until something is so, and tells whether it became so in time. */
async function becomes(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!isSo()) {
    if (Date.now() >= deadline) return false;
    // oxlint-disable-next-line no-await-in-loop
    await delay(POLL_MS);
  }
  return true;
}

async function commandLineOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    } catch {
      return undefined;
    }
  }
  const [file, args] =
    process.platform === "win32"
      ? (["powershell", ["-NoProfile", "-Command", windowsQuery(pid)]] as const)
      : (["ps", ["-o", "command=", "-p", String(pid)]] as const);
  return new Promise((resolve) => {
    execFile(file, args, { timeout: 5_000 }, (error, stdout) =>
      resolve(error ? undefined : stdout.trim()),
    );
  });
}

function windowsQuery(pid: number): string {
  return `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`;
}

/** When a process was started; only Linux tells it in a form that can be compared. */
function processStart(pid: number): number | undefined {
  try {
    const [, bootSeconds] = /^btime (\d+)$/mu.exec(readFileSync("/proc/stat", "utf8")) ?? [];
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in parentheses and may contain anything.
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    // A hundred ticks a second on every Linux that Node runs on.
    return bootSeconds === undefined ? undefined : Number(bootSeconds) * 1_000 + ticks * 10;
  } catch {
    return undefined;
  }
}
