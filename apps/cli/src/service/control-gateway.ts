import { bannerLines } from "@openclaw/gateway/instance-file";
import type { CommandContext } from "../program/command-context.ts";
import type { CliService } from "./cli-services.ts";
import { answerService, factsOf, failService } from "./service-answer.ts";
import { instanceFields } from "./instance-fields.ts";
import { SETTLE_TIMEOUT_MS, settleGateway } from "./settle-gateway.ts";

/**
 * Starts or restarts the installed service of a Gateway, and waits until it listens: a command that
 * says "started" of what has just ended helps nobody. Undefined when there is no such service.
 */
export async function controlGateway(
  context: CommandContext,
  service: CliService,
  action: "start" | "restart",
): Promise<number | undefined> {
  const { manager, ref, foreign } = service;
  if (foreign !== undefined) return undefined;
  const { result } = await manager[action](ref);
  if (result === "not-loaded") return undefined;
  const timeoutMs = context.integer("wait") ?? SETTLE_TIMEOUT_MS;
  const { instance, failure } = await settleGateway(context, service, timeoutMs);
  if (failure !== undefined) return failService(context, action, failure);
  const status = await manager.status(ref);
  return answerService(context, {
    ok: true,
    action,
    result,
    service: factsOf(status),
    lines: [
      `${action === "start" ? "Started" : "Restarted"} ${status.label}.`,
      ...(instance === undefined ? [] : bannerLines(instance)),
    ],
    ...(instance === undefined ? {} : { more: instanceFields(instance) }),
  });
}
