import type { ConnectionTable } from "./connections/connection-table.ts";
import type { Broadcaster } from "./events/broadcaster.ts";
import type { Presence } from "./events/presence.ts";
import type { ResolvedGatewayOptions } from "./gateway-options.ts";
import type { Health } from "./health.ts";
import type { Catalogue } from "./nodes/catalogue.ts";
import type { CommandPolicy } from "./nodes/command-policy.ts";
import type { InvokeBroker } from "./nodes/invoke-broker.ts";
import type { DeviceRegistry } from "./pairing/device-registry.ts";
import type { DeviceTokens } from "./pairing/device-tokens.ts";
import type { PairingService } from "./pairing/pairing-service.ts";
import type { SetupCodes } from "./pairing/setup-codes.ts";

/** The parts of a running Gateway, as its methods see them. */
export interface GatewayContext {
  readonly options: ResolvedGatewayOptions;
  readonly connections: ConnectionTable;
  readonly devices: DeviceRegistry;
  readonly tokens: DeviceTokens;
  readonly pairing: PairingService;
  readonly setups: SetupCodes;
  readonly catalogue: Catalogue;
  readonly policy: CommandPolicy;
  readonly broker: InvokeBroker;
  readonly events: Broadcaster;
  readonly presence: Presence;
  readonly health: Health;
  readonly startedAtMs: number;
}
