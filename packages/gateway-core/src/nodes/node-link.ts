import type { HostStats } from "@openclaw/protocol";
import type { NodeSurface } from "../pairing/device-record.ts";
import type { NodePlatform } from "./command-policy.ts";

/** What a node's connection carries beyond any other connection. */
export interface NodeLink {
  readonly nodeId: string;
  readonly platform: NodePlatform;
  /** All that it declared. */
  readonly offered: readonly string[];
  /** What it declared, less what the policy does not let it offer. */
  declared: NodeSurface;
  /** The approved part of that. */
  effective: NodeSurface;
  /** The effective commands, for the hot path. */
  allowed: ReadonlySet<string>;
  readonly pathEnv: string | undefined;
  /** It keeps a record of invocations and answers for what an earlier connection left open. */
  readonly keepsLedger: boolean;
  /** That record outlives the node's process; the node says so when it syncs. */
  recordsDurably: boolean;
  hostStats: (HostStats & { updatedAtMs: number }) | undefined;
}
