import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLogger } from "../logger.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";
import type { DeviceClaim } from "./device-record.ts";
import { type DeviceRegistry, createDeviceRegistry } from "./device-registry.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const open = (store: Store, logger = silentLogger): DeviceRegistry =>
  createDeviceRegistry({ store, now: Date.now, maxPending: 10, logger });

const claim = (more: Partial<DeviceClaim> = {}): DeviceClaim => ({
  deviceId: "alpha",
  publicKey: "key of alpha",
  role: "operator",
  scopes: ["operator.read"],
  ...more,
});

test("facts that cannot be written are kept, told, and written when the store can again", () => {
  const store = createMemoryStore();
  const told = vi.fn();
  const devices = open(store, { ...silentLogger, error: told });
  devices.approve(claim(), [{ role: "operator", scopes: [] }], "owner");
  const write = vi.spyOn(store, "write").mockImplementation(() => {
    throw new Error("disk full");
  });
  devices.touch("alpha", { version: "2" });
  vi.advanceTimersByTime(10_000);
  expect(told).toHaveBeenCalledTimes(1);
  write.mockRestore();
  vi.advanceTimersByTime(30_000);
  expect(store.read("devices").get("alpha")).toMatchObject({ version: "2" });
  expect(vi.getTimerCount()).toBe(0);
});

test("closing writes what is noted; what is noted later is dropped, and no timer is left", () => {
  const store = createMemoryStore();
  const devices = open(store);
  devices.approve(claim(), [{ role: "operator", scopes: [] }], "owner");
  devices.touch("alpha", { version: "2" });
  devices.close();
  devices.touch("alpha", { version: "3" });
  expect(store.read("devices").get("alpha")).toMatchObject({ version: "2" });
  expect(vi.getTimerCount()).toBe(0);
});

test("a device that asks every second is written down twice a minute, and what it changes at once", () => {
  const store = createMemoryStore();
  const devices = open(store);
  const write = vi.spyOn(store, "write");
  const ids = new Set<string>();
  for (let second = 0; second < 600; second += 1) {
    ids.add(devices.ask(claim(), { isRepair: false }).request.requestId);
    vi.advanceTimersByTime(1_000);
  }
  expect(ids.size).toBe(1);
  expect(devices.requests()).toHaveLength(1);
  expect(write.mock.calls.length).toBeLessThanOrEqual(21);
  devices.ask(claim({ displayName: "renamed" }), { isRepair: false });
  expect(devices.requests()).toMatchObject([{ displayName: "renamed" }]);
});

test("only so many devices wait: the one that waits longest gives way, and no list grows", () => {
  const store = createMemoryStore();
  const devices = open(store);
  for (let n = 0; n < 50; n += 1) {
    devices.ask(claim({ deviceId: `device ${n}` }), { isRepair: false });
    vi.advanceTimersByTime(1_000);
  }
  const waiting = devices.requests().map(({ deviceId }) => deviceId);
  expect(waiting).toEqual(Array.from({ length: 10 }, (_, n) => `device ${n + 40}`));
  expect(store.read("device-requests").size).toBe(10);
  vi.advanceTimersByTime(300_000);
  expect(devices.requests()).toEqual([]);
  expect(store.read("device-requests").size).toBe(0);
});
