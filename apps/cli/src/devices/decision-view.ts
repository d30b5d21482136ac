import type { CommandContext } from "../program/command-context.ts";
import { shortId } from "../output/text.ts";
import type { Decision } from "./decide-request.ts";
import { rolesOf } from "./device-entry.ts";
import { deviceName } from "./device-view.ts";
import { deviceIdOf } from "./pending-requests.ts";

/** Who was let in, and how to undo it. */
export function approvedText(context: CommandContext, decision: Decision): string {
  const { pending } = decision;
  const deviceId = deviceIdOf(pending);
  const name = deviceName({ deviceId, displayName: pending.request.displayName });
  const isNode = pending.kind === "node" || rolesOf(pending.request).includes("node");
  const lines = [context.style.good(`Approved ${name}`)];
  if (isNode && pending.kind === "device" && !decision.isOneStep) {
    lines.push(
      `Its commands may wait for a second approval: ${context.commandLine("nodes pending")}`,
    );
  }
  const undo = isNode
    ? `nodes remove --node ${shortId(deviceId)}`
    : `devices remove ${shortId(deviceId)}`;
  lines.push(context.style.dim(`Undo: ${context.commandLine(undo)}`));
  return lines.join("\n");
}

export function rejectedText(decision: Decision): string {
  const { pending } = decision;
  const deviceId = deviceIdOf(pending);
  return `Rejected ${deviceName({ deviceId, displayName: pending.request.displayName })}`;
}
