/** A device token belongs to one endpoint, one role and one key, and is sent nowhere else. */
export interface DeviceTokenKey {
  /** `host:port` of the Gateway, as {@link checkGatewayUrl} reports it, or the client's `endpointKey`. */
  readonly endpoint: string;
  readonly role: string;
  readonly deviceId: string;
}

/** What a Gateway issued in its hello. */
export interface StoredDeviceToken {
  readonly token: string;
  readonly scopes: readonly string[];
  /** Epoch milliseconds. */
  readonly updatedAtMs: number;
}

/** Keeps the device tokens of this machine between connections. */
export interface DeviceTokenStore {
  get(key: DeviceTokenKey): Promise<StoredDeviceToken | undefined>;
  set(key: DeviceTokenKey, token: StoredDeviceToken): Promise<void>;
  remove(key: DeviceTokenKey): Promise<void>;
}

/** Forgets with the process. */
export function createMemoryTokenStore(): DeviceTokenStore {
  const tokens = new Map<string, StoredDeviceToken>();
  const nameOf = ({ endpoint, role, deviceId }: DeviceTokenKey): string =>
    JSON.stringify([endpoint, role, deviceId]);
  return {
    get: (key) => Promise.resolve(tokens.get(nameOf(key))),
    set: (key, token) => {
      tokens.set(nameOf(key), token);
      return Promise.resolve();
    },
    remove: (key) => {
      tokens.delete(nameOf(key));
      return Promise.resolve();
    },
  };
}
