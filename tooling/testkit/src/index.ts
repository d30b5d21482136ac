export { buildConnectParams } from "./connect-params.ts";
export { DeadlineError, withDeadline } from "./deadline.ts";
export { createFaultProxy } from "./fault-proxy.ts";
export { createFakeNode } from "./fake-node.ts";
export { freePort } from "./free-port.ts";
export { startHostileListener } from "./hostile-listener.ts";
export { createInbox } from "./inbox.ts";
export { startProcess } from "./process-fixture.ts";
export { trackPublishedLocks } from "./published-locks.ts";
export { startHaproxy } from "./proxies/haproxy.ts";
export { startNginx } from "./proxies/nginx.ts";
export { proxyCertificate } from "./proxies/proxy-certificate.ts";
export { hasHaproxy, hasNginx } from "./proxies/proxy-programs.ts";
export { publishedRelease } from "./published-release.ts";
export { createRawPeer, PeerResponseError, UpgradeRefusedError } from "./raw-peer.ts";
export { startMisbehavingSshServer } from "./ssh/misbehaving-server.ts";
export { startOpenSshServer } from "./ssh/openssh-server.ts";
export { generateSshKey, signSshKey } from "./ssh/ssh-keys.ts";
export { startDropbearServer } from "./ssh/dropbear-server.ts";
export { startEchoServer } from "./ssh/echo-server.ts";
export { startSshAgent } from "./ssh/ssh-agent.ts";
export { sshTestRig } from "./ssh/ssh-test-rig.ts";
export { hasAsyncssh, hasDropbear, hasSshd } from "./ssh/ssh-programs.ts";
export { fakeTailscale } from "./tailscale/fake-tailscale.ts";
export { temporaryDirectory } from "./temporary-directory.ts";
export { createTestIdentity, signaturePayload } from "./test-identity.ts";

export type { Challenge, ConnectOptions } from "./connect-params.ts";
export type { FakeAnswer, FakeInvoke, FakeNode, FakeNodeOptions } from "./fake-node.ts";
export type { CutKind, FaultLink, Flow, LinkConditions } from "./fault-link.ts";
export type {
  AcceptMode,
  FaultProxy,
  FaultProxyOptions,
  ProxyConditions,
  ProxyConnection,
  ProxyTarget,
} from "./fault-proxy.ts";
export type { HostileListener, HostileListenerOptions, HostileManner } from "./hostile-listener.ts";
export type { Inbox, NextOptions } from "./inbox.ts";
export type {
  LineOptions,
  ProcessExit,
  ProcessLine,
  StartProcessOptions,
  TestProcess,
} from "./process-fixture.ts";
export type { ProxyOptions } from "./proxies/nginx.ts";
export type { ProxyServer } from "./proxies/proxy-server.ts";
export type { PublishedRelease } from "./published-release.ts";
export type {
  PeerClose,
  PeerError,
  PeerFrame,
  RawPeer,
  RawPeerOptions,
  RequestOptions,
} from "./raw-peer.ts";
export type { DropbearServerOptions } from "./ssh/dropbear-server.ts";
export type { EchoServer } from "./ssh/echo-server.ts";
export type {
  MisbehavingSshServer,
  MisbehavingSshServerOptions,
  SshMisbehaviour,
  SshPrompt,
  SshServerEvent,
} from "./ssh/misbehaving-server.ts";
export type { OpenSshServerOptions } from "./ssh/openssh-server.ts";
export type { SshAgent } from "./ssh/ssh-agent.ts";
export type { SshCertificateOptions, SshKey, SshKeyOptions, SshKeyType } from "./ssh/ssh-keys.ts";
export type { SshServer, SshServerRestartOptions } from "./ssh/ssh-server.ts";
export type { RigServer, SshTestRig, SshTestRigOptions } from "./ssh/ssh-test-rig.ts";
export type { FakeTailscale, FakeTailscaleOptions } from "./tailscale/fake-tailscale.ts";
export type {
  FakeTailnetPeer,
  FakeTailscaleFault,
  FakeTailscaleState,
} from "./tailscale/fake-tailscale-state.ts";
export type { ServeTable } from "./tailscale/serve-table.ts";
export type { TemporaryDirectory } from "./temporary-directory.ts";
export type { SignatureFields, SignatureVersion, TestIdentity } from "./test-identity.ts";
