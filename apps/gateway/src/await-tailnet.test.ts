import { silentLogger } from "@openclaw/gateway-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { awaitTailnet } from "./await-tailnet.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const addresses = () => ({ ipv4: "100.64.0.9" });

test("an address that cannot be listened on yet is tried again, until it can", async () => {
  const add = vi.fn<(host: string) => Promise<string>>();
  add.mockRejectedValueOnce(new Error("EADDRNOTAVAIL")).mockResolvedValue("ws://100.64.0.9:1");
  const stop = awaitTailnet({ add }, { logger: silentLogger, addresses });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(add.mock.calls).toEqual([["100.64.0.9"], ["100.64.0.9"]]);
  stop();
  expect(vi.getTimerCount()).toBe(0);
});

test("what takes long is not asked for twice, and who has stopped hears no more of it", async () => {
  const error = vi.fn();
  const logger = { ...silentLogger, error, info: error };
  const held = Promise.withResolvers<string>();
  const add = vi.fn(() => held.promise);
  const stop = awaitTailnet({ add }, { logger, addresses });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(add).toHaveBeenCalledOnce();
  stop();
  held.reject(new Error("the Gateway has been closed"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(error).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
