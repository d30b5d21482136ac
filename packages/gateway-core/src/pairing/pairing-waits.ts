/**
 * Devices whose handshake is kept open until an operator has decided. Each has proven its key and
 * knows the secret; what it waits for is only the decision.
 */
export interface PairingWaits {
  /**
   * Waits for the next decision about a device. Returns what ends the wait, or undefined when too
   * many wait already: then the device is answered at once, and asks again later.
   */
  begin(deviceId: string, decided: () => void): (() => void) | undefined;
  /** A decision about this device has been made; everyone who waits for it looks again. */
  decided(deviceId: string): void;
}

/** So many handshakes of one device may wait; it needs one. */
const MAX_PER_DEVICE = 4;

export function createPairingWaits({ maxWaiting }: { maxWaiting: number }): PairingWaits {
  const waiting = new Map<string, Set<() => void>>();
  let count = 0;

  function end(deviceId: string, wake: () => void): void {
    const ofDevice = waiting.get(deviceId);
    if (ofDevice?.delete(wake) !== true) return;
    count -= 1;
    if (ofDevice.size === 0) waiting.delete(deviceId);
  }

  return {
    begin(deviceId, decided) {
      const ofDevice = waiting.get(deviceId) ?? new Set();
      if (count >= maxWaiting || ofDevice.size >= MAX_PER_DEVICE) return undefined;
      const wake = (): void => decided();
      ofDevice.add(wake);
      waiting.set(deviceId, ofDevice);
      count += 1;
      return () => end(deviceId, wake);
    },
    decided(deviceId) {
      for (const wake of waiting.get(deviceId) ?? []) {
        end(deviceId, wake);
        // After the decision has been answered and told to everybody.
        setImmediate(wake);
      }
    },
  };
}
