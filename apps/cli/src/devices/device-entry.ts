/** A device's request, of `device.pair.list`. */
export interface DeviceRequest {
  requestId: string;
  deviceId: string;
  displayName?: string;
  platform?: string;
  clientId?: string;
  clientMode?: string;
  role?: string;
  roles?: string[];
  scopes?: string[];
  commands?: string[];
  remoteIp?: string;
  isRepair?: boolean;
  ts?: number;
}

export interface DeviceToken {
  role: string;
  scopes?: string[];
  createdAtMs?: number;
  rotatedAtMs?: number;
  revokedAtMs?: number;
  lastUsedAtMs?: number;
}

export interface PairedDevice {
  deviceId: string;
  displayName?: string;
  operatorLabel?: string;
  platform?: string;
  clientId?: string;
  role?: string;
  roles?: string[];
  scopes?: string[];
  tokens?: DeviceToken[];
  remoteIp?: string;
  connected?: boolean;
  createdAtMs?: number;
  approvedAtMs?: number;
}

export interface DevicePairList {
  pending: DeviceRequest[];
  paired: PairedDevice[];
}

/** Roles of a request or a device; an operator when none is named. */
export function rolesOf({ role, roles }: { role?: string; roles?: string[] }): string[] {
  if (roles !== undefined && roles.length > 0) return roles;
  return role === undefined || role === "" ? ["operator"] : [role];
}
