import { ConfigError, type ConfigIssue } from "@openclaw/config";
import { RequestError } from "@openclaw/gateway-core";

// These texts are read by published peers and kept byte for byte.
const HASH_REQUIRED = "config base hash required; re-run config.get and retry";
const CHANGED = "config changed since last load; re-run config.get and retry";

/** A writer that has not said which config it has seen. */
export function baseHashRequired(): RequestError {
  return new RequestError("INVALID_REQUEST", HASH_REQUIRED);
}

/** A config that breaks the rules, as peers are told. */
export function invalidConfig(
  issues: readonly Pick<ConfigIssue, "path" | "message">[],
): RequestError {
  const [first] = issues;
  const what = first === undefined ? "" : `: ${first.path}: ${first.message}`;
  return new RequestError("INVALID_REQUEST", `invalid config${what}`, {
    details: { issues: issues.map(({ path, message }) => ({ path, message })) },
  });
}

/** What a peer is answered when the config file could not be changed. */
export function configFailure(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const { code, message, hint, issues } = error;
  switch (code) {
    case "CONFIG_CHANGED":
      return new RequestError("INVALID_REQUEST", CHANGED, { details: { code, reason: message } });
    case "CONFIG_INVALID":
      return invalidConfig(issues);
    case "CONFIG_LOCKED":
    case "CONFIG_NOT_WRITTEN":
      return new RequestError("UNAVAILABLE", message, { details: { code, hint }, retryable: true });
    default:
      return new RequestError("INVALID_REQUEST", message, { details: { code, hint } });
  }
}
