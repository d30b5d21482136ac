export { buildConnectParams } from "./connect-params.ts";
export { DeadlineError, withDeadline } from "./deadline.ts";
export { createFakeNode } from "./fake-node.ts";
export { createInbox } from "./inbox.ts";
export { createRawPeer, PeerResponseError, UpgradeRefusedError } from "./raw-peer.ts";
export { createTestIdentity, signaturePayload } from "./test-identity.ts";

export type { Challenge, ConnectOptions } from "./connect-params.ts";
export type { FakeAnswer, FakeInvoke, FakeNode, FakeNodeOptions } from "./fake-node.ts";
export type { Inbox, NextOptions } from "./inbox.ts";
export type {
  PeerClose,
  PeerError,
  PeerFrame,
  RawPeer,
  RawPeerOptions,
  RequestOptions,
} from "./raw-peer.ts";
export type { SignatureFields, SignatureVersion, TestIdentity } from "./test-identity.ts";
