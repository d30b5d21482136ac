import { missingScopes } from "@openclaw/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createConnectionTable } from "../connections/connection-table.ts";
import { silentLogger } from "../logger.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";
import type { DeviceClaim } from "./device-record.ts";
import { createDeviceRegistry } from "./device-registry.ts";
import { mayRepair } from "./pairing-decision.ts";
import { createPairingService } from "./pairing-service.ts";
import { createPairingWaits } from "./pairing-waits.ts";
import { type SetupCodes, createSetupCodes } from "./setup-codes.ts";
import { type SetupProfile, profileGrants } from "./setup-profile.ts";
import { effectiveSurface, isWider, requiredApproveScopes } from "./surface.ts";

const DEVICES = ["alpha", "beta", "gamma"];
const SCOPES = ["operator.read", "operator.write", "operator.pairing", "operator.admin"];

interface House {
  store: Store;
  now: number;
  devices: ReturnType<typeof createDeviceRegistry>;
  pairing: ReturnType<typeof createPairingService>;
  setups: SetupCodes;
  /** Every setup code that was issued, with its secret, and who used it first. */
  codes: { setupId: string; token: string; profile: SetupProfile; usedBy?: string }[];
  /** What each device has been granted, by our own bookkeeping. */
  granted: Map<string, string[]>;
}

function open(store: Store, now: number): House {
  const house = {
    store,
    now,
    granted: new Map<string, string[]>(),
    codes: [] as object[],
  } as House;
  const connections = createConnectionTable();
  const clock = (): number => house.now;
  house.devices = createDeviceRegistry({ store, now: clock, maxPending: 10, logger: silentLogger });
  house.setups = createSetupCodes({ store, now: clock });
  house.pairing = createPairingService({
    setups: house.setups,
    waits: createPairingWaits({ maxWaiting: 10 }),
    devices: house.devices,
    connections,
    events: { broadcast: () => {} },
    now: clock,
    describeSurfaceRequest: () => ({}),
  });
  return house;
}

const ADMIN = ["operator.admin"];

function claimOf(device: string, role: string, scopes: readonly string[]): DeviceClaim {
  return {
    deviceId: device,
    publicKey: `key of ${device}`,
    role,
    scopes: role === "node" ? [] : [...scopes],
    ...(role === "node"
      ? { surface: { caps: [], commands: ["system.run"], permissions: {} } }
      : {}),
  };
}

const device = fc.constantFrom(...DEVICES);
const scopes = fc.subarray(SCOPES);
const step = fc.oneof(
  fc.record({
    kind: fc.constant("connect" as const),
    device,
    role: fc.constantFrom("operator", "node"),
    scopes,
    silently: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("approve" as const), pick: fc.nat(5), scopes }),
  fc.record({ kind: fc.constant("reject" as const), pick: fc.nat(5) }),
  fc.record({ kind: fc.constant("rotate" as const), device, scopes }),
  fc.record({ kind: fc.constant("revoke" as const), device }),
  fc.record({ kind: fc.constant("remove" as const), device }),
  fc.record({
    kind: fc.constant("issue" as const),
    profile: fc.constantFrom<SetupProfile>("full", "limited", "node", "voice-node"),
  }),
  fc.record({
    kind: fc.constant("redeem" as const),
    pick: fc.nat(3),
    device,
    role: fc.constantFrom("operator", "node"),
    scopes,
  }),
  fc.record({ kind: fc.constant("cancel" as const), pick: fc.nat(3) }),
  fc.record({
    kind: fc.constant("repair" as const),
    device,
    role: fc.constantFrom("operator", "node"),
  }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(400_000) }),
  fc.record({ kind: fc.constant("restart" as const) }),
);

test("whatever happens in whichever order: a refusal is on the list, and nobody holds what nobody granted", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let house = open(createMemoryStore(), 1_000_000);
      for (const action of steps) {
        if (action.kind === "restart") {
          house.devices.close();
          const next = open(house.store, house.now);
          next.granted = house.granted;
          next.codes = house.codes;
          house = next;
        } else run(house, action);
        for (const record of house.devices.list()) {
          const held = record.roles["operator"]?.scopes ?? [];
          expect(missingScopes(house.granted.get(record.deviceId) ?? [], held)).toEqual([]);
        }
        const waiting = house.devices.requests().map((request) => request.deviceId);
        expect(new Set(waiting).size).toBe(waiting.length);
      }
    }),
    { numRuns: 300 },
  );
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function run(house: House, action: Exclude<Step, { kind: "restart" }>): void {
  const { pairing, devices, granted } = house;
  const grant = (deviceId: string, more: readonly string[]): void =>
    void granted.set(deviceId, [...(granted.get(deviceId) ?? []), ...more]);
  switch (action.kind) {
    case "connect": {
      const claim = claimOf(action.device, action.role, action.scopes);
      const admission = pairing.admit(claim, action.silently);
      if (admission.ok) {
        if (action.silently) grant(action.device, claim.scopes);
        expect(
          missingScopes(admission.record.roles[action.role]?.scopes ?? [], claim.scopes),
        ).toEqual([]);
      } else {
        const { requestId } = admission.request;
        expect(devices.requests().map((request) => request.requestId)).toContain(requestId);
      }
      return;
    }
    case "approve": {
      const request = devices.requests()[action.pick];
      if (!request) return;
      const mayGrant = missingScopes(action.scopes, request.scopes).length === 0;
      const approve = (): unknown => pairing.approveDevice(request.requestId, action.scopes);
      if (!mayGrant) {
        expect(approve).toThrow("missing scope");
        return;
      }
      approve();
      grant(request.deviceId, request.scopes);
      expect(devices.request(request.requestId)).toBeUndefined();
      const surface = devices.get(request.deviceId)?.nodeSurface;
      if (
        surface &&
        request.roles.includes("node") &&
        !devices.get(request.deviceId)?.roles["operator"]
      )
        expect(surface.commands).toEqual(["system.run"]);
      return;
    }
    case "reject": {
      const request = devices.requests()[action.pick];
      if (!request) return;
      pairing.rejectDevice(request.requestId);
      expect(devices.request(request.requestId)).toBeUndefined();
      return;
    }
    case "rotate": {
      const before = devices.get(action.device)?.roles["operator"];
      const rotate = (): unknown =>
        pairing.rotateToken(action.device, "operator", action.scopes, ADMIN);
      if (!before || missingScopes(before.scopes, action.scopes).length > 0) {
        expect(rotate).toThrow("device token rotation denied");
        return;
      }
      rotate();
      expect(devices.get(action.device)?.roles["operator"]?.generation).toBe(before.generation + 1);
      return;
    }
    case "revoke": {
      if (!devices.get(action.device)?.roles["operator"]) return;
      pairing.revokeToken(action.device, "operator", ADMIN);
      return;
    }
    case "remove": {
      if (!devices.get(action.device)) return;
      pairing.removeDevice(action.device);
      granted.delete(action.device);
      expect(devices.get(action.device)).toBeUndefined();
      return;
    }
    case "issue": {
      const { setupId, bootstrapToken } = house.setups.issue(action.profile);
      house.codes.push({ setupId, token: bootstrapToken, profile: action.profile });
      return;
    }
    case "redeem": {
      const code = house.codes[action.pick];
      if (!code) return;
      const claim = claimOf(action.device, action.role, action.scopes);
      const found = house.setups.find(code.token, claim);
      // Whoever used it first is the only one who ever may.
      if (code.usedBy !== undefined && code.usedBy !== action.device) expect(found).toBeUndefined();
      if (!found) return;
      const before = JSON.stringify(devices.get(action.device)?.roles ?? {});
      const wasUsed = found.completion !== undefined;
      const admission = pairing.admitBySetup(claim, found);
      if (wasUsed) expect(JSON.stringify(devices.get(action.device)?.roles ?? {})).toBe(before);
      if (!admission.ok) return;
      const { roles } = admission.record;
      expect(missingScopes(roles[action.role]?.scopes ?? [], claim.scopes)).toEqual([]);
      expect(roles[action.role]?.revokedAtMs).toBeUndefined();
      if (wasUsed) return;
      code.usedBy = action.device;
      for (const { scopes: given } of profileGrants(code.profile)) grant(action.device, given);
      return;
    }
    case "cancel": {
      const code = house.codes[action.pick];
      if (!code) return;
      house.setups.cancel(code.setupId);
      const anyone = claimOf(code.usedBy ?? "alpha", "node", []);
      expect(house.setups.find(code.token, anyone)).toBeUndefined();
      return;
    }
    case "repair": {
      const record = devices.get(action.device);
      const claim = { ...claimOf(action.device, action.role, []), scopes: [] };
      const held = record && Object.hasOwn(record.roles, action.role) && record.roles[action.role];
      const isLive = held !== undefined && held !== false && held.revokedAtMs === undefined;
      // The key is proof enough for what was granted, and for nothing that was not or is no more.
      expect(mayRepair(record, claim)).toBe(isLive);
      expect(mayRepair(record, { ...claim, publicKey: "another key" })).toBe(false);
      return;
    }
    case "wait":
      house.now += action.ms;
  }
}

const surface = fc.record({
  caps: fc.subarray(["system", "camera"]),
  commands: fc.subarray(["system.run", "system.which", "camera.snap"]),
  permissions: fc.dictionary(fc.constantFrom("camera", "location"), fc.boolean()),
});

test("what a node may be asked is always both declared and approved", () => {
  fc.assert(
    fc.property(surface, surface, (declared, approved) => {
      const effective = effectiveSurface(declared, approved);
      for (const command of effective.commands) {
        expect(declared.commands).toContain(command);
        expect(approved.commands).toContain(command);
      }
      if (!isWider(declared, approved))
        expect(effective.commands.toSorted()).toEqual(declared.commands.toSorted());
      expect(isWider(declared, declared)).toBe(false);
    }),
  );
});

test("approving what acts on the host wants an administrator", () => {
  const with_ = (commands: string[]) =>
    requiredApproveScopes({ caps: [], commands, permissions: {} });
  expect(with_([])).toEqual(["operator.pairing"]);
  expect(with_(["camera.list"])).toEqual(["operator.pairing", "operator.write"]);
  for (const command of [
    "system.run",
    "system.run.prepare",
    "system.which",
    "system.execApprovals.set",
    "browser.proxy",
    "fs.listDir",
    "terminal.upload",
  ])
    expect(with_(["camera.list", command])).toEqual(["operator.pairing", "operator.admin"]);
});
