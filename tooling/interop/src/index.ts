export { openDoor } from "./door.ts";
export type { Door, DoorOptions } from "./door.ts";
export { connectPublishedClient, createPublishedIdentity } from "./published-client.ts";
export { startProtocol3Gateway } from "./protocol3/protocol3-gateway.ts";
export { createFrameAuditor } from "./frame-auditor.ts";

export type { FrameAuditor, FrameViolation } from "./frame-auditor.ts";
export type { Protocol3Gateway, Protocol3GatewayOptions } from "./protocol3/protocol3-gateway.ts";
export type {
  PublishedClient,
  PublishedClientOptions,
  PublishedIdentity,
} from "./published-client.ts";
