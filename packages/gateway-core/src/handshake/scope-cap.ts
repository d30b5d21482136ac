import { scopeAllows } from "@openclaw/protocol";

/** What is left of `scopes` under a cap: all that both of them allow. */
export function capScopes(scopes: readonly string[], cap: readonly string[]): string[] {
  const kept = scopes.filter((scope) => scopeAllows(cap, scope));
  // Asking for more than the cap yields the cap, not nothing.
  const lowered = cap.filter((scope) => scopeAllows(scopes, scope));
  return [...new Set([...kept, ...lowered])];
}
