export { decodeSetupCode } from "@openclaw/protocol";
export { backoffDelayMs, defaultBackoff } from "./reconnect/backoff.ts";
export { checkGatewayUrl } from "./gateway-url.ts";
export { connectGateway } from "./connect-gateway.ts";
export { createEphemeralIdentity } from "./identity/ephemeral-identity.ts";
export { createGatewayClient } from "./create-gateway-client.ts";
export { createMemoryTokenStore } from "./identity/device-token-store.ts";
export { fileTokenStore } from "./identity/file-token-store.ts";
export { GatewayError, RemoteError } from "./errors.ts";
export { loadOrCreateDeviceIdentity } from "./identity/identity-file.ts";

export type { DecodedSetupCode, SetupCode, SetupCodeProblem } from "@openclaw/protocol";
export type { AttemptFailure, CloseInfo, GatewayClientState, SequenceGap } from "./client-state.ts";
export type { BackoffOptions } from "./reconnect/backoff.ts";
export type { CheckedGatewayUrl, GatewayUrlOptions } from "./gateway-url.ts";
export type { ClientInfo, GatewayClientOptions, KeepaliveOptions } from "./client-options.ts";
export type { DeviceIdentity } from "./identity/device-identity.ts";
export type {
  DeviceTokenKey,
  DeviceTokenStore,
  StoredDeviceToken,
} from "./identity/device-token-store.ts";
export type { CarrierReadyFunction, DialAddress, DialFunction } from "./carrier/dial.ts";
export type { EventListener, GatewayClient, RequestOptions } from "./gateway-client.ts";
export type { GatewayErrorCode, GatewayErrorOptions, RemoteErrorShape } from "./errors.ts";
export type { Logger } from "./logger.ts";
export type {
  Transport,
  TransportClose,
  TransportFactory,
  TransportListener,
  TransportOptions,
} from "./transport/transport.ts";
