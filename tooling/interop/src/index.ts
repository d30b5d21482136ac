export { connectPublishedClient, createPublishedIdentity } from "./published-client.ts";
export { createFrameAuditor } from "./frame-auditor.ts";

export type { FrameAuditor, FrameViolation } from "./frame-auditor.ts";
export type {
  PublishedClient,
  PublishedClientOptions,
  PublishedIdentity,
} from "./published-client.ts";
