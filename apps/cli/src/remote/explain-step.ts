import { isObject, safeText } from "@openclaw/app-kit";
import { GatewayError } from "@openclaw/client";
import { type ChosenGateway, isLocalTarget } from "../gateway/choose-gateway.ts";
import { readWayFailure, type WayFailure } from "../gateway/ssh-way.ts";
import type { CommandContext } from "../program/command-context.ts";
import { StepFailure } from "./walk.ts";

/** Codes of a tunnel by the step that they belong to; all others are of the connection. */
const STEP_OF_CODE: Readonly<Record<string, string>> = {
  NAME_NOT_RESOLVED: "name",
  CONNECTION_REFUSED: "port",
  HOST_UNREACHABLE: "port",
  NOT_SSH: "port",
  AUTHENTICATION_REFUSED: "login",
  AGENT_LOCKED: "login",
  IDENTITY_LOCKED: "login",
  IDENTITY_UNREADABLE: "login",
};

/** A failure of the SSH connection as the failure of a step; any other error as it is. */
export function asSshFailure(error: unknown): unknown {
  const failure = readWayFailure(error);
  if (failure === undefined) return error;
  const { code, message, hint } = failure;
  return new StepFailure(message, { at: stepOf(failure), code, hint, cause: error });
}

function stepOf({ code, details }: WayFailure): string {
  if (code === "TIMED_OUT" && details["stage"] === "authentication") return "login";
  return STEP_OF_CODE[code] ?? "hostKey";
}

/** Why the Gateway did not let us in, as the failure of a step; any other error as it is. */
export function asGatewayFailure(
  error: unknown,
  context: CommandContext,
  gateway: ChosenGateway,
): unknown {
  if (!(error instanceof GatewayError)) return asSshFailure(error);
  if (readWayFailure(error.cause) !== undefined) return asSshFailure(error.cause);
  const message = safeText(error.message);
  switch (error.code) {
    case "AUTH_FAILED":
      return new StepFailure(message, {
        at: "authentication",
        code: detailCode(error) ?? error.code,
        hint: secretHint(context, gateway),
        cause: error,
      });
    case "PAIRING_REQUIRED": {
      const requestId = requestIdOf(error);
      return new StepFailure("the Gateway does not know this device yet.", {
        at: "pairing",
        code: error.code,
        hint: `On the Gateway host: openclaw devices approve ${requestId ?? "<requestId>"}`,
        cause: error,
      });
    }
    default:
      return new StepFailure(message, {
        at: "websocket",
        code: error.code,
        hint: error.hint ?? gatewayHint(gateway),
        cause: error,
      });
  }
}

function secretHint(context: CommandContext, { credentials, target }: ChosenGateway): string {
  const used = credentials.sources.token ?? credentials.sources.password;
  if (used !== undefined) {
    return `The secret came from ${used}; it has to be the one that gateway.auth has over there.`;
  }
  return target.urlSource.startsWith("config ")
    ? `Keep the Gateway's secret: ${context.commandLine("remote set <target> --token-file <path>")}`
    : "Give the Gateway's secret: --token or --password";
}

function gatewayHint({ target }: ChosenGateway): string {
  return isLocalTarget(target)
    ? "Start a Gateway: openclaw gateway run"
    : "Look on that machine: openclaw gateway status";
}

function detailCode({ details }: GatewayError): string | undefined {
  return isObject(details) && typeof details["code"] === "string" ? details["code"] : undefined;
}

function requestIdOf({ details }: GatewayError): string | undefined {
  return isObject(details) && typeof details["requestId"] === "string"
    ? safeText(details["requestId"])
    : undefined;
}
