import { isObject, portOf, safeText } from "@openclaw/app-kit";
import { GatewayError, RemoteError } from "@openclaw/client";
import { CliError, type CliErrorType } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { type ChosenGateway, gatewaySibling, isLocalTarget, placeOf } from "./choose-gateway.ts";
import { explainTls } from "./explain-tls.ts";
import { refusedHints } from "./refused-hints.ts";

export interface FailureContext {
  context: CommandContext;
  gateway: ChosenGateway;
  /** What `--timeout` was. */
  timeoutMs: number;
}

/** Turns what the client or the Gateway reported into what the user is told. */
export async function explainFailure(error: unknown, where: FailureContext): Promise<unknown> {
  if (error instanceof RemoteError) return remoteFailure(error);
  if (error instanceof GatewayError) return gatewayFailure(error, where);
  return error;
}

/** The Gateway answered with an error; one of a node keeps the node's code. */
export function remoteFailure(error: RemoteError): CliError {
  const details = isObject(error.details) ? error.details : {};
  const nodeError = isObject(details["nodeError"]) ? details["nodeError"] : undefined;
  const code = typeof nodeError?.["code"] === "string" ? nodeError["code"] : error.code;
  const hints = hintFor(error, details);
  return new CliError(
    nodeError === undefined ? "gateway_request_error" : "node_error",
    safeText(error.message),
    {
      hints,
      fields: {
        code,
        method: error.method,
        ...(error.details === undefined ? {} : { details: error.details }),
        ...(error.retryable ? { retryable: true } : {}),
        ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      },
      cause: error,
    },
  );
}

function hintFor(error: RemoteError, details: Record<string, unknown>): string[] {
  const { code, reason, missingScope } = details;
  if (code === "MISSING_SCOPE") {
    return [
      `This device may not do that: it lacks ${safeText(missingScope)}. An operator can approve a wider request.`,
    ];
  }
  if (code === "NOT_CONNECTED")
    return ["The node is not connected. See who is: openclaw nodes status"];
  if (code === "PAIRING_CHANGED") {
    return ["The node's commands may wait for approval: openclaw nodes pending"];
  }
  if (reason === "command not allowlisted") {
    return ["Allow it on the Gateway host: gateway.nodes.commands.allow"];
  }
  return error.retryable ? ["The same call may succeed later."] : [];
}

interface Story {
  type: CliErrorType;
  message: string;
  hints: string[];
  fields: Record<string, unknown>;
}

async function gatewayFailure(error: GatewayError, where: FailureContext): Promise<CliError> {
  const { context, gateway } = where;
  const story = tellStory(error, where);
  const hints = [
    ...story.hints,
    ...(await portHint(error, gateway)),
    ...connectionDetails(context, gateway),
  ];
  return new CliError(story.type, story.message, {
    hints,
    fields: story.fields,
    siblings: gatewaySibling(gateway.target),
    cause: error,
  });
}

function tellStory(error: GatewayError, where: FailureContext): Story {
  const { context, gateway, timeoutMs } = where;
  const ownHints = error.hint === undefined ? [] : [error.hint];
  const message = safeText(error.message);
  switch (error.code) {
    case "PAIRING_REQUIRED":
      return pairingStory(error, context);
    case "AUTH_FAILED":
      return {
        type: "gateway_auth_error",
        message: `unauthorized: ${message.replace(/^.*rejected: (unauthorized: )?/, "")}`,
        // The Gateway's own text mostly says already what to set.
        hints: [...(message.includes("--") ? [] : ownHints), ...credentialHints(gateway)],
        fields: { code: detailCode(error) ?? error.code },
      };
    case "CONNECT_TIMEOUT":
    case "REQUEST_TIMEOUT":
      return transport("timeout", `gateway timeout after ${timeoutMs}ms`, [], message);
    case "CONNECTION_LOST":
    case "SUPERSEDED":
    case "HANDSHAKE_REJECTED":
      return transport("closed", closedText(error), ownHints, message);
    case "CONNECT_REFUSED":
      return transport("refused", message, refusedHints(context, gateway), message);
    case "NOT_A_GATEWAY":
      return transport("not_a_gateway", message, ownHints, message);
    case "TLS_FAILED":
    case "TLS_PIN_MISMATCH": {
      const { hints, fields } = explainTls(error, gateway.target, context);
      const kind = error.code === "TLS_FAILED" ? "tls" : "tls_pin";
      // The lines below it show both sides, each for itself.
      const story = transport(kind, message.replace(/: expected .*$/u, "."), hints, message);
      return { ...story, fields: { ...story.fields, ...fields } };
    }
    case "PROTOCOL_MISMATCH":
      return transport("protocol", message, ownHints, message);
    case "INSECURE_URL":
    case "INVALID_URL":
      return transport("insecure_url", message, ownHints, message);
    default:
      return {
        type: "cli_error",
        message,
        hints: ownHints,
        fields: { kind: "config", code: error.code },
      };
  }
}

function transport(kind: string, message: string, hints: string[], reason: string): Story {
  return { type: "gateway_transport_error", message, hints, fields: { kind, reason } };
}

function pairingStory(error: GatewayError, context: CommandContext): Story {
  const details = isObject(error.details) ? error.details : {};
  const requestId =
    typeof details["requestId"] === "string" ? safeText(details["requestId"]) : undefined;
  return {
    type: "gateway_pairing_required",
    message: `pairing required: this device is not approved for what it asks${requestId === undefined ? "" : ` (request ${requestId})`}`,
    hints: [
      `On the Gateway host: ${context.commandLine("devices list")}`,
      `then: ${context.commandLine(`devices approve ${requestId ?? "<requestId>"}`)}`,
    ],
    fields: { code: "PAIRING_REQUIRED", ...(requestId === undefined ? {} : { requestId }) },
  };
}

const CLOSE_HINTS: Readonly<Record<number, string>> = {
  1000: " normal closure",
  1006: " abnormal closure, no close frame",
};

function closedText(error: GatewayError): string {
  const reason = safeText(error.message).replace(/^.*?(closed|rejected|upgrade)[^:]*: /, "");
  if (error.closeCode === undefined) return `gateway refused the connection: ${reason}`;
  const hint = CLOSE_HINTS[error.closeCode] ?? "";
  return `gateway closed (${error.closeCode}${hint}): ${reason === "" ? "no close reason" : reason}`;
}

/** Where a credential can come from here, and what was found. */
function credentialHints({ credentials }: ChosenGateway): string[] {
  const used = [credentials.sources.token, credentials.sources.password].filter(
    (source) => source !== undefined,
  );
  if (used.length > 0) return [`Credential used: ${used.join(", ")}`];
  return [
    "No credential was found. Looked at:",
    ...credentials
      .explain()
      .split("\n")
      .map((line) => `  ${line}`),
  ];
}

/** Who holds the port, where nobody spoke like a Gateway on this machine. */
async function portHint(error: GatewayError, { target }: ChosenGateway): Promise<string[]> {
  if (error.code !== "NOT_A_GATEWAY" || !isLocalTarget(target)) return [];
  const { describeHolder, findPortHolders } = await import("@openclaw/gateway/port-holder");
  const holders = await findPortHolders(portOf(target.url));
  return holders.map((holder) => `Port held by ${describeHolder(holder)}`);
}

/** The block that says where a command went and why there. */
export function connectionDetails(
  context: CommandContext,
  { target, loose }: ChosenGateway,
): string[] {
  const gateway = isObject(loose.config["gateway"]) ? loose.config["gateway"] : {};
  const bind = typeof gateway["bind"] === "string" ? gateway["bind"] : "loopback";
  return [
    `Gateway target: ${placeOf(target)}`,
    `Source: ${target.urlSource}`,
    `Config: ${context.paths.configPath}${loose.exists ? "" : " (missing)"}`,
    ...(target.kind === "local" ? [`Bind: ${bind}`] : []),
    ...(target.warning === undefined ? [] : [`Warn: ${target.warning}`]),
    ...(loose.problem === undefined
      ? []
      : [`Warn: config ${loose.problem.path} ${loose.problem.message}`]),
  ];
}

function detailCode({ details }: GatewayError): string | undefined {
  return isObject(details) && typeof details["code"] === "string" ? details["code"] : undefined;
}
