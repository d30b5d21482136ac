import { randomUUID } from "node:crypto";
import process from "node:process";
import { CLOSE, missingScopes } from "@openclaw/protocol";
import type { ConnectionTable } from "../connections/connection-table.ts";
import type { Connection } from "../connections/connection.ts";
import { RequestError, invalidRequest } from "../errors.ts";
import type { Broadcaster } from "../events/broadcaster.ts";
import type {
  ApprovedVia,
  DeviceClaim,
  DeviceRecord,
  DeviceRequest,
  NodeSurface,
  RoleGrant,
} from "./device-record.ts";
import type { DeviceRegistry } from "./device-registry.ts";
import { type PairingReason, pairingGap } from "./pairing-decision.ts";
import type { PairingWaits } from "./pairing-waits.ts";
import type { SetupCodes, SetupRecord } from "./setup-codes.ts";
import { accessOf, profileGrants } from "./setup-profile.ts";
import { effectiveSurface, isWider, requiredApproveScopes } from "./surface.ts";

/** A node's wish to be asked for more than was approved. It lives as long as the node is connected. */
export interface SurfaceRequest {
  requestId: string;
  nodeId: string;
  surface: NodeSurface;
  ts: number;
}

export type Admission =
  | { ok: true; record: DeviceRecord }
  | { ok: false; reason: PairingReason; request: DeviceRequest; record: DeviceRecord | undefined };

/** `scope-mismatch`: the code promises less than was asked for. `used`: what it gave was taken away. */
export type SetupAdmission =
  | { ok: true; record: DeviceRecord; roles: readonly string[] }
  | { ok: false; reason: "scope-mismatch" | "used" };

/** Decides who is paired and what a node may be asked, and tells everyone concerned. */
export interface PairingService {
  /** Lets a proven device in, or records that it waits. `silently` says that no operator is needed. */
  admit(claim: DeviceClaim, silently: boolean): Admission;
  /**
   * Lets a proven device in with a setup code that it may use. The first time it is granted what the
   * code promises, surface included; after that the code only proves who it is, for a device whose
   * first answer was lost, and never brings back what an operator has taken away.
   */
  admitBySetup(claim: DeviceClaim, setup: SetupRecord): SetupAdmission;
  approveDevice(requestId: string, approverScopes: readonly string[]): DeviceRecord;
  rejectDevice(requestId: string): DeviceRequest;
  removeDevice(deviceId: string): void;
  rotateToken(
    deviceId: string,
    role: string,
    scopes: readonly string[] | undefined,
    callerScopes: readonly string[],
  ): DeviceRecord;
  revokeToken(deviceId: string, role: string, callerScopes: readonly string[]): number;
  surfaceRequests(): SurfaceRequest[];
  surfaceRequestOf(nodeId: string): SurfaceRequest | undefined;
  approveSurface(requestId: string, approverScopes: readonly string[]): SurfaceRequest;
  rejectSurface(requestId: string): SurfaceRequest;
  /** A node has connected, or declares another surface: works out what it may be asked. */
  nodeConnected(connection: Connection): void;
  nodeDisconnected(nodeId: string): void;
}

export interface PairingServiceOptions {
  devices: DeviceRegistry;
  connections: ConnectionTable;
  events: Broadcaster;
  now: () => number;
  /** The node-facing part of what changes when a surface is approved. */
  describeSurfaceRequest: (request: SurfaceRequest) => unknown;
  setups: SetupCodes;
  /** Who waits in the handshake for a decision. */
  waits: PairingWaits;
}

export function createPairingService(options: PairingServiceOptions): PairingService {
  const { devices, connections, events, now, setups, waits } = options;
  const surfaceRequests = new Map<string, SurfaceRequest>();

  function announceDevice(request: DeviceRequest): void {
    events.broadcast("device.pair.requested", publicRequest(request), {
      scope: "operator.pairing",
    });
  }

  function announceResolved(
    requestId: string,
    deviceId: string,
    decision: "approved" | "rejected",
  ): void {
    const payload = { requestId, deviceId, decision, ts: now() };
    events.broadcast("device.pair.resolved", payload, { scope: "operator.pairing" });
    waits.decided(deviceId);
  }

  function announceSurface(
    requestId: string,
    nodeId: string,
    decision: "approved" | "rejected" | "removed",
  ): void {
    events.broadcast(
      "node.pair.resolved",
      { requestId, nodeId, decision, ts: now() },
      { scope: "operator.pairing", nodeId },
    );
  }

  function surfaceRequestOf(nodeId: string): SurfaceRequest | undefined {
    for (const request of surfaceRequests.values()) if (request.nodeId === nodeId) return request;
    return undefined;
  }

  /** Puts an approved surface to work on the node's live connection. */
  function refresh(nodeId: string): void {
    const link = connections.node(nodeId)?.node;
    if (!link) return;
    link.effective = effectiveSurface(link.declared, devices.get(nodeId)?.nodeSurface);
    link.allowed = new Set(link.effective.commands);
  }

  function grantSurface(nodeId: string, surface: NodeSurface): void {
    const former = devices.get(nodeId)?.nodeSurface;
    devices.approveSurface(nodeId, former ? union(former, surface) : surface);
    refresh(nodeId);
  }

  function endConnections(
    deviceId: string,
    reason: string,
    concerns: (connection: Connection) => boolean = () => true,
  ): void {
    const ending = connections.ofDevice(deviceId).filter(concerns);
    // After the answer: a device that changes its own rights should still hear that it did.
    process.nextTick(() => {
      for (const connection of ending) connection.close(CLOSE.AUTH_CHANGED, reason);
    });
  }

  function approved(
    claim: DeviceClaim,
    grants: readonly { role: string; scopes: readonly string[] }[],
    via: ApprovedVia,
    approverScopes: readonly string[],
  ): DeviceRecord {
    const record = devices.approve(claim, grants, via);
    const { surface } = claim;
    // One decision is enough: whoever may approve the surface has just approved it.
    if (surface && missingScopes(approverScopes, requiredApproveScopes(surface)).length === 0)
      grantSurface(record.deviceId, surface);
    return devices.get(record.deviceId) ?? record;
  }

  function pendingDevice(requestId: string): DeviceRequest {
    const request = devices.request(requestId);
    if (!request) throw invalidRequest("unknown requestId");
    return request;
  }

  function pendingSurface(requestId: string): SurfaceRequest {
    const request = surfaceRequests.get(requestId);
    if (!request) throw invalidRequest("unknown requestId");
    return request;
  }

  /** The grant that a caller wants to change: to touch a right one has to hold it. */
  function grantOf(
    deviceId: string,
    role: string,
    callerScopes: readonly string[],
    action: "rotation" | "revocation",
  ): RoleGrant {
    const roles = devices.get(deviceId)?.roles;
    // `roles` is an object, and every object has a `constructor`.
    const grant = roles && Object.hasOwn(roles, role) ? roles[role] : undefined;
    const required = role === "operator" ? (grant?.scopes ?? []) : ["operator.admin"];
    if (!grant || missingScopes(callerScopes, required).length > 0)
      throw invalidRequest(`device token ${action} denied`);
    return grant;
  }

  return {
    admit(claim, silently) {
      const record = devices.get(claim.deviceId);
      const reason = pairingGap(record, claim);
      if (!reason && record) return { ok: true, record };
      // Being local does not undo what an operator has revoked.
      const isRevoked = record?.roles[claim.role]?.revokedAtMs !== undefined;
      if (silently && !isRevoked) {
        const waiting = devices
          .requests()
          .filter((request) => request.deviceId === claim.deviceId)
          .map((request) => request.requestId);
        const grants = [{ role: claim.role, scopes: claim.scopes }];
        const paired = approved(claim, grants, "silent", ["operator.admin"]);
        // A request for more than was granted here goes on waiting.
        const answered = waiting.find((requestId) => devices.request(requestId) === undefined);
        announceResolved(answered ?? randomUUID(), claim.deviceId, "approved");
        return { ok: true, record: paired };
      }
      const asked = devices.ask(claim, { isRepair: record !== undefined });
      if (asked.supersededId) announceResolved(asked.supersededId, claim.deviceId, "rejected");
      if (asked.created) announceDevice(asked.request);
      return { ok: false, reason: reason ?? "not-paired", request: asked.request, record };
    },
    admitBySetup(claim, setup) {
      const grants = profileGrants(setup.profile);
      const promised = grants.find(({ role }) => role === claim.role);
      if (!promised || missingScopes(promised.scopes, claim.scopes).length > 0)
        return { ok: false, reason: "scope-mismatch" };
      const roles = grants.map(({ role }) => role);
      if (setup.completion) {
        const record = devices.get(claim.deviceId);
        return record && pairingGap(record, claim) === undefined
          ? { ok: true, record, roles }
          : { ok: false, reason: "used" };
      }
      // First the code is this device's, then it is granted: no other can come in between a crash.
      setups.bind(setup.setupId, claim);
      const waiting = devices.requests().filter(({ deviceId }) => deviceId === claim.deviceId);
      const record = approved(claim, grants, "bootstrap", ["operator.admin"]);
      const access = accessOf(setup.profile);
      const { deviceId, displayName } = claim;
      const completion = {
        setupId: setup.setupId,
        deviceId,
        ...(displayName === undefined ? {} : { deviceName: displayName }),
        access,
        ts: now(),
      };
      setups.complete(setup.setupId, completion);
      const answered = waiting.find(({ requestId }) => devices.request(requestId) === undefined);
      announceResolved(answered?.requestId ?? randomUUID(), deviceId, "approved");
      events.broadcast("device.pair.setup.completed", completion, { scope: "operator.pairing" });
      return { ok: true, record, roles };
    },
    approveDevice(requestId, approverScopes) {
      const request = pendingDevice(requestId);
      const missing = missingScopes(approverScopes, request.scopes)[0];
      if (missing) throw missingScopeError(missing, request.scopes);
      const grants = request.roles.map((role) => ({
        role,
        scopes: role === "operator" ? request.scopes : [],
      }));
      const record = approved(request, grants, "owner", approverScopes);
      announceResolved(requestId, request.deviceId, "approved");
      return record;
    },
    rejectDevice(requestId) {
      const request = pendingDevice(requestId);
      devices.drop(requestId);
      announceResolved(requestId, request.deviceId, "rejected");
      return request;
    },
    removeDevice(deviceId) {
      const surface = surfaceRequestOf(deviceId);
      if (surface) surfaceRequests.delete(surface.requestId);
      if (!devices.remove(deviceId)) throw invalidRequest("unknown deviceId");
      setups.forgetDevice(deviceId);
      endConnections(deviceId, "device removed");
      announceSurface("", deviceId, "removed");
    },
    rotateToken(deviceId, role, scopes, callerScopes) {
      const { revokedAtMs: _, ...grant } = grantOf(deviceId, role, callerScopes, "rotation");
      // Rotating may narrow the rights, never widen them: that is what pairing is for.
      if (scopes && missingScopes(grant.scopes, scopes).length > 0)
        throw invalidRequest("device token rotation denied", { reason: "scope_mismatch" });
      devices.setGrant(deviceId, role, {
        ...grant,
        scopes: scopes ? [...scopes] : grant.scopes,
        generation: grant.generation + 1,
        rotatedAtMs: now(),
      });
      endConnections(deviceId, "gateway auth changed", (peer) => peer.identity.role === role);
      // The record exists: grantOf found it.
      return devices.get(deviceId) as DeviceRecord;
    },
    revokeToken(deviceId, role, callerScopes) {
      const grant = grantOf(deviceId, role, callerScopes, "revocation");
      const revokedAtMs = now();
      setups.forgetDevice(deviceId);
      devices.setGrant(deviceId, role, { ...grant, revokedAtMs });
      endConnections(deviceId, "gateway auth changed", (peer) => peer.identity.role === role);
      return revokedAtMs;
    },
    surfaceRequests: () => [...surfaceRequests.values()],
    surfaceRequestOf,
    approveSurface(requestId, approverScopes) {
      const request = pendingSurface(requestId);
      const required = requiredApproveScopes(request.surface);
      const missing = missingScopes(approverScopes, required)[0];
      if (missing) throw missingScopeError(missing, required);
      surfaceRequests.delete(requestId);
      grantSurface(request.nodeId, request.surface);
      announceSurface(requestId, request.nodeId, "approved");
      return request;
    },
    rejectSurface(requestId) {
      const request = pendingSurface(requestId);
      surfaceRequests.delete(requestId);
      announceSurface(requestId, request.nodeId, "rejected");
      return request;
    },
    nodeConnected(connection) {
      const { node } = connection;
      if (!node) return;
      const approvedSurface = devices.get(node.nodeId)?.nodeSurface;
      refresh(node.nodeId);
      const asks = !approvedSurface || isWider(node.declared, approvedSurface);
      const former = surfaceRequestOf(node.nodeId);
      if (former && asks && sameSurface(former.surface, node.declared)) return;
      if (former) {
        surfaceRequests.delete(former.requestId);
        announceSurface(former.requestId, node.nodeId, "rejected");
      }
      if (!asks) return;
      const request = {
        requestId: randomUUID(),
        nodeId: node.nodeId,
        surface: node.declared,
        ts: now(),
      };
      surfaceRequests.set(request.requestId, request);
      events.broadcast("node.pair.requested", options.describeSurfaceRequest(request), {
        scope: "operator.pairing",
      });
    },
    nodeDisconnected(nodeId) {
      const request = surfaceRequestOf(nodeId);
      if (request) surfaceRequests.delete(request.requestId);
    },
  };
}

/** The pending record as operators see it; what the node declared is shown by the node's own entry. */
export function publicRequest(request: DeviceRequest): Omit<DeviceRequest, "surface"> {
  const { surface: _surface, modelIdentifier: _model, version: _version, ...shown } = request;
  return shown;
}

/** The refusal of a call that needs a scope its caller does not hold. */
export function missingScopeError(missing: string, required: readonly string[]): RequestError {
  return new RequestError("FORBIDDEN", `missing scope: ${missing}`, {
    details: { code: "MISSING_SCOPE", missingScope: missing, requiredScopes: [...required] },
  });
}

function union(a: NodeSurface, b: NodeSurface): NodeSurface {
  return {
    caps: [...new Set([...a.caps, ...b.caps])],
    commands: [...new Set([...a.commands, ...b.commands])],
    permissions: { ...a.permissions, ...b.permissions },
  };
}

function sameSurface(a: NodeSurface, b: NodeSurface): boolean {
  return !isWider(a, b) && !isWider(b, a);
}
