import type { OperatorScope } from "@openclaw/protocol";
import type { Grant } from "./device-registry.ts";

/** What a setup code lets a device become (wire §6.6). */
export type SetupProfile = "full" | "limited" | "node" | "voice-node";

/** How much that is, for people. */
export type SetupAccess = "full" | "limited" | "node";

const LIMITED = [
  "operator.approvals",
  "operator.questions",
  "operator.read",
  "operator.talk.secrets",
  "operator.write",
] as const satisfies readonly OperatorScope[];

const OPERATOR_SCOPES_OF: Readonly<Record<SetupProfile, readonly OperatorScope[] | undefined>> = {
  full: ["operator.admin", ...LIMITED],
  limited: LIMITED,
  node: undefined,
  "voice-node": ["operator.read", "operator.talk"],
};

/** The roles of a profile with their scopes. Every profile may serve as a node. */
export function profileGrants(profile: SetupProfile): Grant[] {
  const scopes = OPERATOR_SCOPES_OF[profile];
  const node = { role: "node", scopes: [] };
  return scopes === undefined ? [node] : [node, { role: "operator", scopes }];
}

export function accessOf(profile: SetupProfile): SetupAccess {
  return profile === "voice-node" ? "limited" : profile;
}
