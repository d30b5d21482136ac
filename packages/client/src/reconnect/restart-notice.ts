import { GatewayError } from "../errors.ts";

/** How long the Gateway says, in its `shutdown` event, that it will be away. */
export function expectedRestart(payload: unknown): number | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  if (!("restartExpectedMs" in payload)) return undefined;
  const { restartExpectedMs } = payload;
  return typeof restartExpectedMs === "number" && restartExpectedMs > 0
    ? restartExpectedMs
    : undefined;
}

/** A Gateway that announced its restart said with it when to come back. */
export function withRestartHint(
  error: GatewayError,
  retryAfterMs: number | undefined,
): GatewayError {
  if (retryAfterMs === undefined || error.final || error.retryAfterMs !== undefined) return error;
  return new GatewayError(error.code, error.message, {
    cause: error.cause,
    closeCode: error.closeCode,
    details: error.details,
    hint: error.hint,
    retryAfterMs,
  });
}
