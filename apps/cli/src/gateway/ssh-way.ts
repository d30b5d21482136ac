import { isObject, loadSshWay, safeText, type Way } from "@openclaw/app-kit";
import type { GatewayTarget } from "@openclaw/config";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { gatewaySibling } from "./choose-gateway.ts";

/** After this long a person is told what takes so long. */
const SILENT_MS = 1_000;

/**
 * Opens the SSH connection that a target lies behind, for the length of one command.
 *
 * @returns undefined for a target that is dialled as it is
 * @throws {CliError}
 */
export async function openWayTo(
  target: GatewayTarget,
  context: CommandContext,
  timeoutMs: number,
): Promise<Way | undefined> {
  const { via } = target;
  if (via === undefined) return undefined;
  const { io } = context;
  const timer = setTimeout(() => {
    if (io.stderr.isTTY) io.stderr.write(`Connecting to ${via.target} over SSH …\n`);
  }, SILENT_MS);
  try {
    const { openWay } = await loadSshWay();
    const identity = context.text("ssh-identity");
    return await openWay({
      via: {
        ...via,
        ...(identity === undefined ? {} : { identity }),
        ...(context.flag("accept-new") ? { hostKeyPolicy: "accept-new" as const } : {}),
      },
      hostKeyFingerprint: context.text("ssh-host-key"),
      onNewHostKey: ({ name, keyType, fingerprint }) =>
        void io.stderr.write(`New SSH host key accepted: ${name} ${keyType} ${fingerprint}\n`),
      endpointKey: target.endpointKey,
      env: context.env,
      connectTimeoutMs: timeoutMs,
    });
  } catch (error) {
    throw explainWayFailure(error, target);
  } finally {
    clearTimeout(timer);
  }
}

/** What a tunnel reports, for the user; its class lies in a bundle of its own. */
export function explainWayFailure(error: unknown, target: GatewayTarget): unknown {
  if (!(error instanceof Error) || error.name !== "TunnelError") return error;
  const { code, hint, final, details } = error as Error & {
    code: string;
    hint?: string;
    final: boolean;
    details: unknown;
  };
  const hints = [
    ...(hint === undefined ? [] : [safeText(hint)]),
    `SSH target: ${target.via?.target ?? ""} (from ${target.urlSource})`,
  ];
  return new CliError("gateway_transport_error", `ssh: ${safeText(error.message)}`, {
    hints,
    fields: {
      kind: "ssh",
      code,
      final,
      reason: safeText(error.message),
      ...(isObject(details) && Object.keys(details).length > 0 ? { details } : {}),
    },
    siblings: gatewaySibling(target),
    cause: error,
  });
}
