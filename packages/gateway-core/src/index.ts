export { createGateway } from "./gateway.ts";
export { GatewayStartError, RequestError } from "./errors.ts";
export { defaultLimits } from "./gateway-options.ts";
export { defineMethod } from "./methods/method.ts";
export { silentLogger } from "./logger.ts";
export { createMemoryStore } from "./store/memory-store.ts";
export { createSqliteStore } from "./store/sqlite-store.ts";

export type { TailnetUser } from "./auth/tailnet-identity.ts";
export type { TrustedProxyAuth } from "./auth/trusted-proxy.ts";
export type { CloseOptions, Gateway } from "./gateway.ts";
export type { GatewayStartErrorCode, RequestErrorOptions } from "./errors.ts";
export type { ThrottleOptions } from "./auth/throttle/throttle-options.ts";
export type {
  GatewayAuth,
  GatewayLimits,
  GatewayOptions,
  SetupAddresses,
} from "./gateway-options.ts";
export type { GatewayChanges } from "./live-update.ts";
export type { GatewayAddress, ListenOptions } from "./listener/http-listener.ts";
export type { Logger } from "./logger.ts";
export type { Caller, Method, MethodAccess, MethodCall } from "./methods/method.ts";
export type { SqliteStoreOptions } from "./store/sqlite-store.ts";
export type { Collection, Mutation, Store } from "./store/store.ts";
