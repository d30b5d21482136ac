import type { SshTestRig } from "@openclaw/testkit";
import type { TunnelUnderTest } from "./fault-run.ts";

/** A way in which a connection fails. Resolves when the far side can be reached again. */
export type Fault = (tunnel: TunnelUnderTest, rig: SshTestRig) => Promise<void>;

/** Long enough that a keepalive may or may not notice it. */
const FROZEN_MS = 900;
const DOWN_MS = 400;

export const faults: Record<string, Fault> = {
  cut: async ({ proxy }) => proxy.cutAll("fin"),
  reset: async ({ proxy }) => proxy.cutAll("reset"),
  "black hole": async ({ proxy }) => proxy.cutAll("silence"),
  "server process killed": (_, { server }) => server.killConnections(),
  async frozen(_, { server }) {
    server.freeze();
    await pause(FROZEN_MS);
    server.thaw();
  },
  async "away for a while"({ proxy }) {
    await proxy.accept("refuse");
    proxy.cutAll("reset");
    await pause(DOWN_MS);
    await proxy.accept("pass");
  },
  async "accepts and says nothing"({ proxy }) {
    await proxy.accept("blackhole");
    proxy.cutAll("silence");
    await pause(DOWN_MS);
    await proxy.accept("pass");
  },
};

/** The length of an outage is what the fault is about. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
