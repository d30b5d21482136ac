import type { NodeSurface } from "./device-record.ts";

/** Commands that act on the host itself: approving them wants `operator.admin` (wire §7.3). */
const HOST_COMMANDS = [
  /^system\.run(\..*)?$/,
  /^system\.which$/,
  /^system\.execApprovals\..*$/,
  /^browser\.proxy(\..*)?$/,
  /^fs\.listDir$/,
  /^terminal\.upload$/,
];

/** The scopes that an operator needs to approve a surface. */
export function requiredApproveScopes(surface: NodeSurface): string[] {
  if (surface.commands.length === 0) return ["operator.pairing"];
  const touchesHost = surface.commands.some((command) =>
    HOST_COMMANDS.some((pattern) => pattern.test(command)),
  );
  return ["operator.pairing", touchesHost ? "operator.admin" : "operator.write"];
}

/** Whether `declared` asks for anything that `approved` does not hold. Shrinking never widens. */
export function isWider(declared: NodeSurface, approved: NodeSurface): boolean {
  return (
    hasMore(declared.caps, approved.caps) ||
    hasMore(declared.commands, approved.commands) ||
    Object.entries(declared.permissions).some(
      ([name, granted]) => granted && approved.permissions[name] !== true,
    )
  );
}

/** The part of what a node declares that has been approved, sorted. */
export function effectiveSurface(
  declared: NodeSurface,
  approved: NodeSurface | undefined,
): NodeSurface {
  if (!approved) return { caps: [], commands: [], permissions: {} };
  return {
    caps: shared(declared.caps, approved.caps).toSorted(),
    commands: shared(declared.commands, approved.commands).toSorted(),
    permissions: declared.permissions,
  };
}

// A peer may declare thousands of names, so neither of these may be quadratic.
function hasMore(declared: readonly string[], approved: readonly string[]): boolean {
  const known = new Set(approved);
  return declared.some((name) => !known.has(name));
}

function shared(declared: readonly string[], approved: readonly string[]): string[] {
  const known = new Set(approved);
  return declared.filter((name) => known.has(name));
}
