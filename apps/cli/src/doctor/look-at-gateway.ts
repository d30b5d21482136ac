import { ConfigError } from "@openclaw/config";
import { CliError } from "../errors.ts";
import { chooseGateway } from "../gateway/choose-gateway.ts";
import { probeGateway } from "../gateway/probe-gateway.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { GatewayLook } from "./facts.ts";

const TIMEOUT_MS = 5_000;
const DEEP_TIMEOUT_MS = 15_000;

/** Makes one connection to the Gateway that commands go to. Asks for no pairing, and never throws. */
export async function lookAtGateway(context: CommandContext): Promise<GatewayLook> {
  const timeoutMs = context.flag("deep") ? DEEP_TIMEOUT_MS : TIMEOUT_MS;
  try {
    const chosen = await chooseGateway(context, { fallBackToLocal: true });
    const probe = await probeGateway(context, chosen, { timeoutMs, detail: true });
    return { chosen, probe, error: probe.error, atMs: Date.now() };
  } catch (error) {
    if (!(error instanceof CliError) && !(error instanceof ConfigError)) throw error;
    return { chosen: undefined, probe: undefined, error: error.message, atMs: Date.now() };
  }
}
