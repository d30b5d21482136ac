/** The scopes an operator can hold, widest first. */
export const OPERATOR_SCOPES = [
  "operator.admin",
  "operator.write",
  "operator.read",
  "operator.approvals",
  "operator.pairing",
  "operator.questions",
  "operator.talk",
  "operator.talk.secrets",
] as const;

/** What an operator may do. */
export type OperatorScope = (typeof OPERATOR_SCOPES)[number];

const ADMIN = "operator.admin" satisfies OperatorScope;

/** Scopes, other than itself and admin, that contain the named one. */
const IMPLIED_BY: ReadonlyMap<string, string> = new Map<OperatorScope, OperatorScope>([
  ["operator.read", "operator.write"],
  ["operator.talk", "operator.write"],
]);

/**
 * Whether the granted scopes contain the required one: `operator.admin` contains everything,
 * `operator.write` contains `operator.read` and `operator.talk`, the others only themselves.
 */
export function scopeAllows(granted: readonly string[], required: string): boolean {
  if (granted.includes(required) || granted.includes(ADMIN)) return true;
  const wider = IMPLIED_BY.get(required);
  return wider !== undefined && granted.includes(wider);
}

/** The required scopes that the granted ones do not contain, in the order asked. */
export function missingScopes(granted: readonly string[], required: readonly string[]): string[] {
  return required.filter((scope) => !scopeAllows(granted, scope));
}
