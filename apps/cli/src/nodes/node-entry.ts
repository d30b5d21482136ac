/** A node as `node.list` has it; older Gateways leave members out. */
export interface NodeEntry {
  nodeId: string;
  displayName?: string;
  platform?: string;
  version?: string;
  coreVersion?: string;
  uiVersion?: string;
  deviceFamily?: string;
  modelIdentifier?: string;
  remoteIp?: string;
  caps?: string[];
  commands?: string[];
  pathEnv?: string;
  permissions?: Record<string, boolean>;
  connectedAtMs?: number;
  lastConnectedAtMs?: number;
  lastSeenAtMs?: number;
  approvedAtMs?: number;
  paired?: boolean;
  connected?: boolean;
  approvalState?: string;
  pendingRequestId?: string;
  pendingDeclaredCommands?: string[];
  hostStats?: {
    cpuCount?: number;
    loadAverage?: number[];
    memoryTotalBytes?: number;
    memoryFreeBytes?: number;
    diskTotalBytes?: number;
    diskAvailableBytes?: number;
  };
}

export interface NodeListPayload {
  ts?: number;
  nodes: NodeEntry[];
}

/** A node's request, of `node.pair.list`. */
export interface NodeRequest {
  requestId: string;
  nodeId: string;
  displayName?: string;
  platform?: string;
  version?: string;
  caps?: string[];
  commands?: string[];
  requiredApproveScopes?: string[];
  remoteIp?: string;
  isRepair?: boolean;
  ts?: number;
}

export interface NodePairList {
  pending: NodeRequest[];
  paired: { nodeId: string; displayName?: string }[];
}

/** When the node was last there: now, or then. */
export function lastThereAtMs(node: NodeEntry, nowMs: number): number | undefined {
  return node.connected === true ? nowMs : (node.lastConnectedAtMs ?? node.lastSeenAtMs);
}
