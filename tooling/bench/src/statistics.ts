/** The value below which a share `q` of the samples lies, interpolated; NaN without samples. */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) return Number.NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (high - low) * (position - below);
}

/** The middle of the samples; NaN without samples. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/**
 * The median of the ratios of pairs that were measured next to each other. On a machine whose speed
 * wanders this says more than the ratio of two medians.
 */
export function medianRatio(samples: readonly number[], baseline: readonly number[]): number {
  const pairs = Math.min(samples.length, baseline.length);
  return median(
    Array.from({ length: pairs }, (_, index) => (samples[index] ?? 0) / (baseline[index] ?? 0)),
  );
}
