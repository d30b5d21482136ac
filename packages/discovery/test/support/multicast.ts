import { randomInt } from "node:crypto";
import type { AnnouncementState, AnnounceOptions, NetworkOptions } from "../../src/index.ts";
import { announce, type Announcement } from "../../src/index.ts";

/** Multicast over loopback on a port that no other test and no daemon speaks on. */
export function testNetwork(): NetworkOptions & { port: number } {
  return { port: randomInt(20_000, 60_000), interface: "127.0.0.1" };
}

/** An announcement, and a way to wait for what becomes of it. */
export interface WatchedAnnouncement {
  readonly announcement: Announcement;
  readonly states: AnnouncementState[];
  readonly warnings: string[];
}

export function announceFor(
  network: NetworkOptions,
  facts: Partial<AnnounceOptions["facts"]> = {},
  timing: AnnounceOptions["timing"] = {},
): WatchedAnnouncement {
  const states: AnnouncementState[] = [];
  const warnings: string[] = [];
  const announcement = announce({
    facts: { displayName: "Studio", hostLabel: "openclaw", port: 18_789, ...facts },
    network,
    timing,
    // Every pause is as long as it may be.
    random: () => 1,
    logger: {
      debug: () => {},
      info: () => {},
      warn: (fields, message) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
    },
    onState: (state) => void states.push(state),
  });
  return { announcement, states, warnings };
}
