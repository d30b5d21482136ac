import type { GatewayClient } from "./gateway-client.ts";
import type { GatewayClientOptions } from "./client-options.ts";

/** A client that connects when told to, and comes back by itself after a lost connection. */
export function createGatewayClient(options: GatewayClientOptions): GatewayClient {
  throw new Error(`not implemented: ${options.url}`);
}
