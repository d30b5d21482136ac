import { MAX_INVOKE_TIMEOUT_MS, resolveInvokeTimeoutMs } from "@openclaw/protocol";

/** What an invocation's request waits beyond the invocation, so that the typed answer comes first. */
const INVOKE_GRACE_MS = 10_000;

/**
 * Time until a request fails. 0, absent and not-a-number mean the default; more than a day means a
 * day. A `node.invoke` without a timeout of its own waits as long as the invocation may run.
 */
export function resolveRequestTimeoutMs(
  timeoutMs: number | undefined,
  { method, params, defaultMs }: { method: string; params: unknown; defaultMs: number },
): number {
  if (timeoutMs !== undefined && timeoutMs > 0) return Math.min(timeoutMs, MAX_INVOKE_TIMEOUT_MS);
  if (method !== "node.invoke") return defaultMs;
  return Math.max(defaultMs, resolveInvokeTimeoutMs(invokeTimeoutMs(params)) + INVOKE_GRACE_MS);
}

function invokeTimeoutMs(params: unknown): number | undefined {
  if (typeof params !== "object" || params === null || !("timeoutMs" in params)) return undefined;
  return typeof params.timeoutMs === "number" ? params.timeoutMs : undefined;
}
