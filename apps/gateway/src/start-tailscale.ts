import { existsSync } from "node:fs";
import type { Logger } from "@openclaw/app-kit";
import type { Env } from "@openclaw/config";
import {
  createTailscale,
  type Exposure,
  ExposureError,
  type ExposureErrorCode,
  type Tailscale,
} from "@openclaw/exposure";
import type { TailscalePlan } from "./choose-tailscale.ts";
import { exposureRecordPath } from "./exposure-record-path.ts";
import { CONFIG_EXIT, type StartRefusal } from "./start-refusal.ts";

const MAY_PASS: ReadonlySet<ExposureErrorCode> = new Set([
  "TAILSCALE_NOT_RUNNING",
  "TAILSCALE_STARTING",
  "TAILSCALE_TIMEOUT",
  "TAILSCALE_FAILED",
]);

/** What {@link startTailscale} works with. */
export interface TailscaleInput {
  readonly plan: TailscalePlan;
  readonly env: Env;
  readonly stateDir: string;
  readonly logger: Logger;
}

/**
 * Tailscale for a Gateway that uses it. `off` never runs the program, unless a route of ours is on
 * record: that one is taken off. With another mode `expose` adopts or replaces what was left.
 */
export async function startTailscale(input: TailscaleInput): Promise<Tailscale | undefined> {
  const { plan, env, stateDir, logger } = input;
  const recordPath = exposureRecordPath(stateDir);
  const isOff = plan.mode === "off";
  if (isOff && !existsSync(recordPath)) return undefined;
  const tailscale = createTailscale({ env, logger });
  if (!isOff) return tailscale;
  try {
    const report = await tailscale.repair({ recordPath });
    logger.info({ ...report }, "tailscale route of an earlier run");
  } catch (error) {
    // Whoever switched Tailscale off or took it away should still get a Gateway.
    logger.warn({ error }, "the tailscale route of an earlier run could not be taken off");
  }
  return undefined;
}

/** Puts the Gateway into the tailnet, or on the internet; or says why not (R15), or that it was told to stop. */
export async function expose(
  tailscale: Tailscale,
  { plan, stateDir }: Pick<TailscaleInput, "plan" | "stateDir">,
  listening: { readonly port: number; readonly isTls: boolean; readonly signal?: AbortSignal },
): Promise<{ exposure: Exposure } | { refusal: StartRefusal } | "stopped"> {
  const { mode } = plan;
  if (mode === "off") throw new Error("there is nothing to expose");
  try {
    const recordPath = exposureRecordPath(stateDir);
    return { exposure: await tailscale.expose({ mode, ...listening, recordPath }) };
  } catch (error) {
    if (listening.signal?.aborted === true) return "stopped";
    if (!(error instanceof ExposureError)) throw error;
    const { code, message, hint, details } = error;
    return {
      refusal: {
        id: "R15",
        message: `${message} (${code}, gateway.tailscale.mode ${mode})`,
        hints: [
          ...(details.output === undefined ? [] : [`tailscale said: ${onOneLine(details.output)}`]),
          ...(hint === undefined ? [] : [hint]),
          "Without Tailscale, SSH gets you in: openclaw health --url ssh://me@host",
        ],
        // A daemon that is still starting may be there at the next attempt of a supervisor.
        exitCode: MAY_PASS.has(code) ? 1 : CONFIG_EXIT,
      },
    };
  }
}

function onOneLine(output: string): string {
  return output.trim().replaceAll(/\s*\n\s*/gu, " / ");
}
