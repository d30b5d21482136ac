/** Named lists of listeners. A listener that throws is reported and harms nobody else. */
export interface Listeners {
  on(name: string, listener: (...args: never[]) => void): () => void;
  emit(name: string, ...args: unknown[]): void;
}

export function createListeners(report: (error: unknown, name: string) => void): Listeners {
  const byName = new Map<string, Set<(...args: never[]) => void>>();
  return {
    on(name, listener) {
      let listeners = byName.get(name);
      if (!listeners) byName.set(name, (listeners = new Set()));
      // Wrapped, so that the same function may be subscribed twice and ended one at a time.
      const entry = (...args: never[]): void => listener(...args);
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    emit(name, ...args) {
      const listeners = byName.get(name);
      if (!listeners) return;
      for (const listener of listeners) {
        try {
          // Each name has one shape of arguments, which `GatewayClient.on` states.
          (listener as (...args: unknown[]) => void)(...args);
        } catch (error) {
          report(error, name);
        }
      }
    },
  };
}
