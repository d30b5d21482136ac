import { createHash, randomBytes, randomUUID } from "node:crypto";
import { SETUP_CODE_TTL_MS, type SetupCompleted } from "@openclaw/protocol";
import type { Store } from "../store/store.ts";
import type { SetupProfile } from "./setup-profile.ts";

/** A setup code as it is kept: without its secret, of which only the hash is known. */
export interface SetupRecord {
  setupId: string;
  /** SHA-256 of the bootstrap token, base64url. */
  tokenHash: string;
  profile: SetupProfile;
  createdAtMs: number;
  expiresAtMs: number;
  /** The device that used it first; nobody else may. */
  deviceId?: string;
  publicKey?: string;
  /** The device has been granted what the code promises. From then on it grants nothing more. */
  completion?: SetupCompleted;
}

export interface IssuedSetup {
  setupId: string;
  /** 43 characters of base64url; told once and not kept. */
  bootstrapToken: string;
  expiresAtMs: number;
}

/** Setup codes that may still be used, or were used a short while ago. They survive a restart. */
export interface SetupCodes {
  issue(profile: SetupProfile): IssuedSetup;
  /** The code that a token belongs to, if this device may use it: the first one that does, or the same again. */
  find(token: string, device: SetupDevice): SetupRecord | undefined;
  /** Ties a code to a device, before anything is granted. */
  bind(setupId: string, device: SetupDevice): void;
  complete(setupId: string, completion: SetupCompleted): void;
  get(setupId: string): SetupRecord | undefined;
  list(): SetupRecord[];
  /** Makes a code useless; false when there is none of that id. */
  cancel(setupId: string): boolean;
  /** Makes the codes of a device useless, so that what is taken from it cannot be had again with them. */
  forgetDevice(deviceId: string): void;
}

export interface SetupDevice {
  deviceId: string;
  publicKey: string;
}

/** So many codes may wait; the oldest gives way. */
const MAX_CODES = 200;

export function createSetupCodes({ store, now }: { store: Store; now: () => number }): SetupCodes {
  // The store wrote these values itself, from this type.
  const codes = store.read("setup-codes") as Map<string, SetupRecord>;

  const save = (record: SetupRecord): void => {
    const { setupId: key } = record;
    store.write([{ kind: "put", collection: "setup-codes", key, value: record }]);
    codes.set(key, record);
  };

  const drop = (ids: readonly string[]): void => {
    if (ids.length === 0) return;
    store.write(ids.map((key) => ({ kind: "delete", collection: "setup-codes", key })));
    for (const id of ids) codes.delete(id);
  };

  function expire(): void {
    const at = now();
    drop([...codes.values()].flatMap((code) => (code.expiresAtMs <= at ? code.setupId : [])));
  }

  function must(setupId: string): SetupRecord {
    const record = codes.get(setupId);
    if (!record) throw new Error(`no setup code ${setupId}`);
    return record;
  }

  return {
    issue(profile) {
      expire();
      const all = [...codes.values()].toSorted((a, b) => a.createdAtMs - b.createdAtMs);
      drop(all.slice(0, Math.max(0, all.length - MAX_CODES + 1)).map(({ setupId }) => setupId));
      const bootstrapToken = randomBytes(32).toString("base64url");
      const createdAtMs = now();
      const expiresAtMs = createdAtMs + SETUP_CODE_TTL_MS;
      const setupId = randomUUID();
      save({ setupId, tokenHash: hashOf(bootstrapToken), profile, createdAtMs, expiresAtMs });
      return { setupId, bootstrapToken, expiresAtMs };
    },
    find(token, device) {
      expire();
      // What is looked up is a hash: its time tells nothing about a token of 256 random bits.
      const hash = hashOf(token);
      for (const code of codes.values()) {
        if (code.tokenHash !== hash) continue;
        const isFree = code.deviceId === undefined;
        const isOwn = code.deviceId === device.deviceId && code.publicKey === device.publicKey;
        return isFree || isOwn ? code : undefined;
      }
      return undefined;
    },
    bind(setupId, { deviceId, publicKey }) {
      const record = must(setupId);
      if (record.deviceId === undefined) save({ ...record, deviceId, publicKey });
    },
    complete: (setupId, completion) => save({ ...must(setupId), completion }),
    get(setupId) {
      expire();
      return codes.get(setupId);
    },
    list() {
      expire();
      return [...codes.values()];
    },
    cancel(setupId) {
      expire();
      if (!codes.has(setupId)) return false;
      drop([setupId]);
      return true;
    },
    forgetDevice(deviceId) {
      drop([...codes.values()].flatMap((code) => (code.deviceId === deviceId ? code.setupId : [])));
    },
  };
}

function hashOf(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("base64url");
}
