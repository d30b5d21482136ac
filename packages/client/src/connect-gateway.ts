import { createGatewayClient } from "./create-gateway-client.ts";
import type { GatewayClient } from "./gateway-client.ts";
import type { GatewayClientOptions } from "./client-options.ts";

/**
 * Connects once and returns the open client. It does not come back after a lost connection unless
 * `reconnect: true` is given, in which case this also waits for pairing and for an absent Gateway.
 * @throws {@link GatewayError}; nothing is left open then
 */
export async function connectGateway(options: GatewayClientOptions): Promise<GatewayClient> {
  const client = createGatewayClient({ reconnect: false, ...options });
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}
