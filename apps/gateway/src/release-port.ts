import { execFile } from "node:child_process";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { platform } from "node:os";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { hasCode, messageOf } from "@openclaw/app-kit";
import { describeHolder, findPortHolders, type PortHolder } from "./port-holder.ts";
import type { StartRefusal } from "./start-refusal.ts";

/** What {@link releasePort} works with; only tests replace the parts that touch the system. */
export interface ReleasePortInput {
  readonly port: number;
  /** Somebody sits there and sees what is ended. */
  readonly isInteractive: boolean;
  readonly findHolders?: (port: number) => Promise<PortHolder[]>;
  readonly canFindHolders?: () => Promise<boolean>;
  readonly kill?: (pid: number, signal: "SIGTERM" | "SIGKILL") => void;
}

/** The processes that were ended, or why the port is not free. */
export type ReleasedPort = { readonly ended: readonly PortHolder[] } | { refusal: StartRefusal };

const POLL_MS = 100;
/** After so long SIGTERM is followed by SIGKILL. */
const KILL_AFTER_MS = 700;
/** After so long the port counts as not to be had. */
const GIVE_UP_AFTER_MS = 2_000;
const PROBE_TIMEOUT_MS = 1_000;

/**
 * Ends whoever listens on a port of this machine, for `--force`: SIGTERM, and SIGKILL when that does
 * not help. A process of another user is left alone, and so is a Gateway that answers as one, unless
 * a person asks: a script that starts a second Gateway by mistake must not end the first.
 */
export async function releasePort(input: ReleasePortInput): Promise<ReleasedPort> {
  const { port, isInteractive, kill = process.kill.bind(process) } = input;
  const find = input.findHolders ?? findPortHolders;
  if (!(await (input.canFindHolders ?? canFindHolders)())) {
    return refused(`--force needs lsof to see who holds port ${port}`, [
      "Install lsof, or stop the process by hand.",
    ]);
  }
  const holders = await find(port);
  if (holders.length === 0) return { ended: [] };
  const unknown = holders.find(({ pid }) => pid === undefined || pid === process.pid);
  if (unknown !== undefined) {
    return refused(`--force cannot free port ${port}: ${describeHolder(unknown)} holds it`, [
      "Stop it as its user, or choose another port with --port.",
    ]);
  }
  if (!isInteractive && (await isGateway(port))) {
    return refused(
      `--force does not end the Gateway on port ${port} (${holders.map(describeHolder).join(", ")}) without a terminal`,
      ["Stop it: openclaw gateway stop", "or choose another port with --port."],
    );
  }
  const failure = await endAll(port, { find, kill });
  return failure === undefined ? { ended: holders } : refused(failure, []);
}

async function endAll(
  port: number,
  { find, kill }: Required<Pick<ReleasePortInput, "kill">> & { find: typeof findPortHolders },
): Promise<string | undefined> {
  const startedAt = performance.now();
  const signalled = new Map<number, "SIGTERM" | "SIGKILL">();
  for (;;) {
    // Each look decides whether there is another.
    // oxlint-disable-next-line no-await-in-loop
    const holders = await find(port);
    if (holders.length === 0) return undefined;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs >= GIVE_UP_AFTER_MS) {
      return `port ${port} is still held by ${holders.map(describeHolder).join(", ")}`;
    }
    const signal = waitedMs >= KILL_AFTER_MS ? "SIGKILL" : "SIGTERM";
    for (const { pid } of holders) {
      if (pid === undefined || signalled.get(pid) === signal) continue;
      signalled.set(pid, signal);
      try {
        kill(pid, signal);
      } catch (error) {
        // It has ended by itself.
        if (!hasCode(error, "ESRCH")) return `cannot end process ${pid}: ${messageOf(error)}`;
      }
    }
    // oxlint-disable-next-line no-await-in-loop
    await delay(POLL_MS);
  }
}

/** Whether what listens there answers a Gateway's probe, with or without TLS. */
async function isGateway(port: number): Promise<boolean> {
  const answers = await Promise.all([probe(httpRequest, port), probe(httpsRequest, port)]);
  return answers.some((text) => /"status":\s*"live"/.test(text));
}

function probe(request: typeof httpRequest | typeof httpsRequest, port: number): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host: "127.0.0.1",
        port,
        path: "/healthz",
        timeout: PROBE_TIMEOUT_MS,
        // Nothing is told to it; only its kind is asked for.
        ...(request === httpsRequest ? { rejectUnauthorized: false } : {}),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > 1_000) response.destroy();
        });
        response.on("close", () => resolve(text));
      },
    );
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(""));
    asked.end();
  });
}

/** Linux tells by itself who listens; elsewhere only `lsof` does. */
function canFindHolders(): Promise<boolean> {
  if (platform() === "linux") return Promise.resolve(true);
  return new Promise((resolve) => {
    execFile("lsof", ["-v"], { timeout: PROBE_TIMEOUT_MS }, (error) =>
      resolve(!hasCode(error, "ENOENT")),
    );
  });
}

function refused(message: string, hints: readonly string[]): { refusal: StartRefusal } {
  return { refusal: { id: "force", message, hints, exitCode: 1 } };
}
