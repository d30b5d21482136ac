/** How long finished records are kept. Whichever limit is reached first applies, oldest first. */
export interface RetentionOptions {
  /** Age after which a finished record is dropped, counted from its end. @default 86_400_000 (24 h) */
  retentionMs?: number;
  /** Finished records kept at most. @default 10_000 */
  maxEntries?: number;
  /** Size of the journal above which the oldest finished records go, in bytes. @default 268_435_456 */
  maxBytes?: number;
}

export type ResolvedRetention = Required<RetentionOptions>;

export const defaultRetention: ResolvedRetention = {
  retentionMs: 86_400_000,
  maxEntries: 10_000,
  maxBytes: 268_435_456,
};

/**
 * Fills in the defaults.
 *
 * @throws RangeError if a limit is not a number ≥ 0
 */
export function resolveRetention(options: RetentionOptions): ResolvedRetention {
  const resolved = {
    retentionMs: options.retentionMs ?? defaultRetention.retentionMs,
    maxEntries: options.maxEntries ?? defaultRetention.maxEntries,
    maxBytes: options.maxBytes ?? defaultRetention.maxBytes,
  };
  for (const [name, value] of Object.entries(resolved)) {
    if (!(value >= 0)) throw new RangeError(`${name} must be a number ≥ 0, not ${value}`);
  }
  return resolved;
}
