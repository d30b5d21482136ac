import { setTimeout as delay } from "node:timers/promises";
import { type GatewayInstance, isAlive, readInstance } from "@openclaw/gateway/instance-file";
import type { ServiceRuntime } from "@openclaw/service";
import type { CommandContext } from "../program/command-context.ts";
import type { CliService } from "./cli-services.ts";
import { logHint } from "./log-hint.ts";

/** How a service fared in its first moments. */
export interface Settled {
  /** Where it listens. */
  readonly instance?: GatewayInstance;
  /** Why it does not. */
  readonly failure?: { readonly message: string; readonly hints: readonly string[] };
  /** The failure, as warnings for a command that has done its own part. */
  readonly warnings: readonly string[];
}

const POLL_MS = 100;
/** The supervisor is asked less often than the file is looked at: each question starts a program. */
const POLLS_BETWEEN_QUESTIONS = 5;
/** A small computer takes its time to start a program. */
export const SETTLE_TIMEOUT_MS = 20_000;

/** Waits until a service that was started listens, or has ended, or takes too long for either. */
export async function settleGateway(
  context: CommandContext,
  { manager, ref }: CliService,
  timeoutMs: number = SETTLE_TIMEOUT_MS,
): Promise<Settled> {
  const deadline = Date.now() + timeoutMs;
  for (let poll = 0; ; poll += 1) {
    const instance = readInstance(context.paths.stateDir);
    const isAlone = instance === undefined || !isAlive(instance.pid);
    if (!isAlone || poll % POLLS_BETWEEN_QUESTIONS === 0) {
      // Each look decides whether there is another.
      // oxlint-disable-next-line no-await-in-loop
      const { runtime } = await manager.status(ref);
      if (instance !== undefined && isInstanceOf(instance, runtime)) {
        return { instance, warnings: [] };
      }
      if (hasEnded(runtime)) return failed(endMessage(runtime), context, ref.names.systemdUnit);
    }
    if (Date.now() >= deadline) {
      const message = `the Gateway was started, and does not listen after ${Math.round(timeoutMs / 1_000)} seconds.`;
      return failed(message, context, ref.names.systemdUnit);
    }
    // oxlint-disable-next-line no-await-in-loop
    await delay(POLL_MS);
  }
}

/** Where the supervisor tells no process, any living one has to do. */
function isInstanceOf({ pid }: GatewayInstance, runtime: ServiceRuntime): boolean {
  return runtime.status === "running" && isAlive(pid) && (runtime.pid ?? pid) === pid;
}

function hasEnded({ status, state, subState, lastExitStatus }: ServiceRuntime): boolean {
  if (status !== "stopped") return false;
  return lastExitStatus !== undefined || state === "failed" || subState === "auto-restart";
}

function endMessage({ lastExitStatus, lastExitReason }: ServiceRuntime): string {
  if (lastExitStatus === 78) {
    return "the Gateway was started and has refused its configuration (exit code 78); it is not started again by itself.";
  }
  const how =
    lastExitReason === "killed" ? `signal ${lastExitStatus}` : `exit code ${lastExitStatus}`;
  return `the Gateway was started and has ended${lastExitStatus === undefined ? "" : ` with ${how}`}.`;
}

function failed(message: string, context: CommandContext, unit: string): Settled {
  const hints = [
    `See what it says: ${logHint(context.paths.stateDir, unit)}`,
    `or run it here: ${context.commandLine("gateway run")}`,
  ];
  return { failure: { message, hints }, warnings: [message, ...hints] };
}
