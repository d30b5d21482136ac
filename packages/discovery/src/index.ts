export { announce, defaultAnnounceTiming } from "./announce.ts";
export { beaconOf, mergeBeacons } from "./beacon.ts";
export { browse } from "./browse.ts";
export { hostLabel } from "./dns-label.ts";
export { networkFromEnv } from "./network-from-env.ts";
export { LOCAL_DOMAIN, SERVICE_TYPE } from "./service-record.ts";

export type {
  Announcement,
  AnnouncementState,
  AnnounceOptions,
  AnnounceTiming,
  DiscoveryLogger,
} from "./announce.ts";
export type { Beacon } from "./beacon.ts";
export type { BrowseOptions } from "./browse.ts";
export type { NetworkOptions } from "./helper/messages.ts";
export type { GatewayFacts } from "./service-record.ts";
