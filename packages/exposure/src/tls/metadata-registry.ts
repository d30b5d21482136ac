/**
 * What the decorators inside `@peculiar/x509` ask of the global `Reflect`: a note kept with a class.
 * The library leaves it to its user to bring that. Nothing is changed where it is there already.
 */
interface MetadataRegistry {
  getMetadata(key: unknown, target: object): unknown;
  getOwnMetadata(key: unknown, target: object): unknown;
  defineMetadata(key: unknown, value: unknown, target: object): void;
}

const notes = new WeakMap<object, Map<unknown, unknown>>();

const registry: MetadataRegistry = {
  getMetadata(key, target) {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object) {
      const found = notes.get(at);
      if (found?.has(key)) return found.get(key);
    }
    return undefined;
  },
  getOwnMetadata: (key, target) => notes.get(target)?.get(key),
  defineMetadata(key, value, target) {
    const own = notes.get(target) ?? new Map<unknown, unknown>();
    notes.set(target, own.set(key, value));
  },
};

/** To be called before `@peculiar/x509` is loaded; once or often. */
export function provideMetadataRegistry(): void {
  for (const [name, value] of Object.entries(registry)) {
    if (name in Reflect) continue;
    Object.defineProperty(Reflect, name, { value, configurable: true, writable: true });
  }
}
