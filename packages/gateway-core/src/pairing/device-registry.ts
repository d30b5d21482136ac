import { randomUUID } from "node:crypto";
import { PAIRING_REQUEST_TTL_MS, missingScopes } from "@openclaw/protocol";
import type { Logger } from "../logger.ts";
import type { Mutation, Store } from "../store/store.ts";
import {
  type ApprovedVia,
  type DeviceClaim,
  type DeviceRecord,
  type DeviceRequest,
  type NodeSurface,
  type RoleGrant,
  compact,
} from "./device-record.ts";

export interface PairingRequested {
  request: DeviceRequest;
  /** False when the same demand was already waiting. */
  created: boolean;
  /** A smaller demand of the same device that this one replaces. */
  supersededId?: string;
}

/** The one source of truth about devices: who is known, with which rights, and who waits. */
export interface DeviceRegistry {
  get(deviceId: string): DeviceRecord | undefined;
  list(): DeviceRecord[];
  requests(): DeviceRequest[];
  request(requestId: string): DeviceRequest | undefined;
  /** Records that a device waits for a decision. The same or a smaller demand keeps its id. */
  ask(claim: DeviceClaim, options: { isRepair: boolean }): PairingRequested;
  /** Adds grants to a device, beside what it was granted before, and answers its open request. */
  approve(subject: DeviceSubject, grants: readonly Grant[], via: ApprovedVia): DeviceRecord;
  /** Forgets a request without granting it. */
  drop(requestId: string): void;
  /**
   * Notes changed facts about a device; rights are left alone. Facts are written within a second,
   * many at a time, since a thousand nodes that reconnect should not be a thousand transactions.
   */
  touch(deviceId: string, facts: Partial<DeviceFacts>): void;
  /** Notes, in the same way, that a device has just come in with the token of a role. */
  tokenUsed(deviceId: string, role: string): void;
  /** Writes the facts that are noted but not yet written; later ones are dropped. */
  close(): void;
  approveSurface(deviceId: string, surface: NodeSurface): DeviceRecord;
  setGrant(deviceId: string, role: string, grant: RoleGrant): void;
  remove(deviceId: string): boolean;
}

export type DeviceFacts = Pick<
  DeviceRecord,
  | "displayName"
  | "operatorLabel"
  | "platform"
  | "deviceFamily"
  | "modelIdentifier"
  | "version"
  | "clientId"
  | "clientMode"
  | "remoteIp"
  | "lastConnectedAtMs"
  | "lastDisconnectedAtMs"
  | "lastSeenAtMs"
  | "lastSeenReason"
>;

/** Whom a decision is about: a live claim or a waiting request. */
export type DeviceSubject = Omit<DeviceClaim, "role" | "scopes" | "surface">;

export interface Grant {
  role: string;
  scopes: readonly string[];
}

export interface DeviceRegistryOptions {
  store: Store;
  now: () => number;
  maxPending: number;
  logger: Logger;
}

/** How long facts may wait to be written. */
const FACTS_FLUSH_MS = 1_000;
/** When they could not be written, how long until they are offered again. */
const FACTS_RETRY_MS = 30_000;
/** A device that waits asks again every second; so often it is written down that it still does. */
const ASK_REFRESH_MS = 30_000;

export function createDeviceRegistry({
  store,
  now,
  maxPending,
  logger,
}: DeviceRegistryOptions): DeviceRegistry {
  // The store wrote these values itself, from these types.
  const devices = store.read("devices") as Map<string, DeviceRecord>;
  const pending = store.read("device-requests") as Map<string, DeviceRequest>;

  const putDevice = (record: DeviceRecord): Mutation => ({
    kind: "put",
    collection: "devices",
    key: record.deviceId,
    value: record,
  });
  const deleteRequest = (requestId: string): Mutation => ({
    kind: "delete",
    collection: "device-requests",
    key: requestId,
  });

  /** Writes first, then remembers: a right that memory knows has always been stored. */
  const save = (record: DeviceRecord, more: Mutation[] = []): DeviceRecord => {
    store.write([putDevice(record), ...more]);
    devices.set(record.deviceId, record);
    touched.delete(record.deviceId);
    return record;
  };

  const touched = new Set<string>();
  let flushTimer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const flush = (): void => {
    if (flushTimer) clearTimeout(flushTimer);
    flushTimer = undefined;
    const records = [...touched].flatMap((deviceId) => devices.get(deviceId) ?? []);
    if (records.length === 0) return;
    try {
      store.write(records.map(putDevice));
      touched.clear();
    } catch (error) {
      // Nobody waits for facts; they stay noted until the store can write again.
      logger.error({ err: error, devices: records.length }, "facts about devices were not written");
      if (!isClosed) flushTimer = setTimeout(flush, FACTS_RETRY_MS);
    }
  };

  const expire = (): void => {
    const deadline = now() - PAIRING_REQUEST_TTL_MS;
    const stale = [...pending.values()].filter((request) => request.ts <= deadline);
    if (stale.length === 0) return;
    store.write(stale.map((request) => deleteRequest(request.requestId)));
    for (const request of stale) pending.delete(request.requestId);
  };

  const note = (record: DeviceRecord): void => {
    if (isClosed) return;
    devices.set(record.deviceId, record);
    touched.add(record.deviceId);
    flushTimer ??= setTimeout(flush, FACTS_FLUSH_MS);
  };

  const must = (deviceId: string): DeviceRecord => {
    const record = devices.get(deviceId);
    if (!record) throw new Error(`no record of device ${deviceId}`);
    return record;
  };

  return {
    get: (deviceId) => devices.get(deviceId),
    list: () => [...devices.values()],
    requests() {
      expire();
      return [...pending.values()];
    },
    request(requestId) {
      expire();
      return pending.get(requestId);
    },
    ask(claim, { isRepair }) {
      expire();
      const former = [...pending.values()].find((request) => request.deviceId === claim.deviceId);
      const demand = mergeDemand(former, claim);
      const covered =
        former !== undefined &&
        former.publicKey === claim.publicKey &&
        demand.roles.length === former.roles.length &&
        demand.scopes.length === former.scopes.length;
      const request = compact<DeviceRequest>({
        ...describe(claim),
        requestId: covered ? former.requestId : randomUUID(),
        deviceId: claim.deviceId,
        publicKey: claim.publicKey,
        role: claim.role,
        roles: demand.roles,
        scopes: demand.scopes,
        surface: claim.surface ?? former?.surface,
        isRepair: isRepair || undefined,
        ts: now(),
      });
      if (covered && request.ts - former.ts < ASK_REFRESH_MS && sameDemand(request, former))
        return { request: former, created: false };
      const removals = former && !covered ? [former.requestId] : [];
      if (!covered && pending.size - removals.length >= maxPending) {
        const oldest = [...pending.values()].reduce((a, b) => (a.ts <= b.ts ? a : b));
        if (!removals.includes(oldest.requestId)) removals.push(oldest.requestId);
      }
      store.write([
        ...removals.map(deleteRequest),
        { kind: "put", collection: "device-requests", key: request.requestId, value: request },
      ]);
      for (const id of removals) pending.delete(id);
      pending.set(request.requestId, request);
      const result: PairingRequested = { request, created: !covered };
      if (former && !covered) result.supersededId = former.requestId;
      return result;
    },
    approve(subject, grants, via) {
      const former = devices.get(subject.deviceId);
      // The id is the hash of the key, so another key under it cannot be honest: rights never move.
      const known = former?.publicKey === subject.publicKey ? former : undefined;
      const at = now();
      const roles = { ...known?.roles };
      for (const { role, scopes } of grants) roles[role] = widen(roles[role], scopes, at);
      const record = compact<DeviceRecord>({
        ...known,
        ...describe(subject),
        deviceId: subject.deviceId,
        publicKey: subject.publicKey,
        roles,
        createdAtMs: known?.createdAtMs ?? at,
        approvedAtMs: at,
        approvedVia: via,
      });
      const answered = [...pending.values()].filter(
        (request) => request.deviceId === record.deviceId && isCovered(request, record),
      );
      save(
        record,
        answered.map((request) => deleteRequest(request.requestId)),
      );
      for (const request of answered) pending.delete(request.requestId);
      return record;
    },
    drop(requestId) {
      store.write([deleteRequest(requestId)]);
      pending.delete(requestId);
    },
    touch(deviceId, facts) {
      const record = devices.get(deviceId);
      if (record) note(compact<DeviceRecord>({ ...record, ...facts }));
    },
    tokenUsed(deviceId, role) {
      const record = devices.get(deviceId);
      const grant = record && Object.hasOwn(record.roles, role) ? record.roles[role] : undefined;
      if (!record || !grant) return;
      note({ ...record, roles: { ...record.roles, [role]: { ...grant, lastUsedAtMs: now() } } });
    },
    close() {
      isClosed = true;
      flush();
    },
    approveSurface(deviceId, surface) {
      return save({ ...must(deviceId), nodeSurface: { ...surface, approvedAtMs: now() } });
    },
    setGrant(deviceId, role, grant) {
      const record = must(deviceId);
      save({ ...record, roles: { ...record.roles, [role]: grant } });
    },
    remove(deviceId) {
      if (!devices.has(deviceId)) return false;
      const requests = [...pending.values()].filter((request) => request.deviceId === deviceId);
      store.write([
        { kind: "delete", collection: "devices", key: deviceId },
        ...requests.map((request) => deleteRequest(request.requestId)),
      ]);
      devices.delete(deviceId);
      touched.delete(deviceId);
      for (const request of requests) pending.delete(request.requestId);
      return true;
    },
  };
}

/** Nothing but the time differs. */
function sameDemand(a: DeviceRequest, b: DeviceRequest): boolean {
  return JSON.stringify({ ...a, ts: 0 }) === JSON.stringify({ ...b, ts: 0 });
}

function isCovered(request: DeviceRequest, record: DeviceRecord): boolean {
  return (
    request.roles.every((role) => {
      const grant = record.roles[role];
      return grant !== undefined && grant.revokedAtMs === undefined;
    }) && missingScopes(record.roles["operator"]?.scopes ?? [], request.scopes).length === 0
  );
}

function describe(claim: DeviceSubject): Partial<DeviceFacts> {
  return compact<Partial<DeviceFacts>>({
    displayName: claim.displayName,
    platform: claim.platform,
    deviceFamily: claim.deviceFamily,
    modelIdentifier: claim.modelIdentifier,
    version: claim.version,
    clientId: claim.clientId,
    clientMode: claim.clientMode,
    remoteIp: claim.remoteIp,
  });
}

/** A device that asks for more while it waits asks for all of it at once. */
function mergeDemand(
  former: DeviceRequest | undefined,
  claim: DeviceClaim,
): { roles: string[]; scopes: string[] } {
  return {
    roles: [...new Set([...(former?.roles ?? []), claim.role])],
    scopes: [...new Set([...(former?.scopes ?? []), ...claim.scopes])],
  };
}

function widen(grant: RoleGrant | undefined, scopes: readonly string[], at: number): RoleGrant {
  if (!grant) return { scopes: [...scopes], generation: 1, createdAtMs: at };
  if (grant.revokedAtMs !== undefined) {
    // Granted anew: neither the old rights nor the old token come back.
    const { revokedAtMs: _, ...former } = grant;
    return { ...former, scopes: [...scopes], generation: grant.generation + 1, rotatedAtMs: at };
  }
  return { ...grant, scopes: [...new Set([...grant.scopes, ...scopes])] };
}
