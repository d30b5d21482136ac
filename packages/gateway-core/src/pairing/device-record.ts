/** What a node may be asked to do: claimed in `connect`, then approved. */
export interface NodeSurface {
  caps: string[];
  commands: string[];
  permissions: Record<string, boolean>;
}

/** One role that an operator (or local pairing) has granted to a device. */
export interface RoleGrant {
  scopes: string[];
  /** The device token is derived from it: a new generation is a new token. */
  generation: number;
  createdAtMs: number;
  rotatedAtMs?: number;
  revokedAtMs?: number;
  lastUsedAtMs?: number;
}

export type ApprovedVia = "silent" | "owner" | "bootstrap";

/** One device, for ever: its key, what it was granted, and what was last known of it. */
export interface DeviceRecord {
  deviceId: string;
  /** Raw Ed25519 key, base64url without padding. */
  publicKey: string;
  displayName?: string;
  /** Given by an operator; wins over what the device calls itself. */
  operatorLabel?: string;
  platform?: string;
  deviceFamily?: string;
  modelIdentifier?: string;
  version?: string;
  clientId?: string;
  clientMode?: string;
  remoteIp?: string;
  roles: Record<string, RoleGrant>;
  createdAtMs: number;
  approvedAtMs: number;
  approvedVia: ApprovedVia;
  lastConnectedAtMs?: number;
  lastDisconnectedAtMs?: number;
  lastSeenAtMs?: number;
  lastSeenReason?: string;
  nodeSurface?: NodeSurface & { approvedAtMs: number };
}

/** A device that waits for an operator's decision. */
export interface DeviceRequest {
  requestId: string;
  deviceId: string;
  publicKey: string;
  displayName?: string;
  platform?: string;
  deviceFamily?: string;
  modelIdentifier?: string;
  version?: string;
  clientId?: string;
  clientMode?: string;
  role: string;
  roles: string[];
  scopes: string[];
  remoteIp?: string;
  isRepair?: boolean;
  /** What the node declared with its request; approving the device approves it too. */
  surface?: NodeSurface;
  ts: number;
}

/** The raw public key, id and description that a peer has proven or claimed in `connect`. */
export interface DeviceClaim {
  deviceId: string;
  publicKey: string;
  displayName?: string;
  platform?: string;
  deviceFamily?: string;
  modelIdentifier?: string;
  version?: string;
  clientId?: string;
  clientMode?: string;
  role: string;
  scopes: string[];
  remoteIp?: string;
  surface?: NodeSurface;
}

/** A copy without members that are `undefined`, so that records stay the same through JSON. */
export function compact<T extends object>(value: {
  [K in keyof T]: T[K] | undefined;
}): T {
  // Every member left is one that T has, with a value that T allows.
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}
