import { median, medianRatio } from "./statistics.ts";

/** Units of a figure; `/s` is requests or connections a second, `s/GB` CPU time. */
export type Unit = "ms" | "µs" | "/s" | "MB" | "KB" | "MB/s" | "s/GB";

/** A bound on the ratio to the baseline, or on the value itself. */
export interface Target {
  of: "ratio" | "value";
  atMost?: number;
  atLeast?: number;
}

/** One line of the result. */
export interface Figure {
  /** Stable name, e.g. `invoke.p50`. */
  name: string;
  /** What was measured: `gateway`, or `openclaw@…` for a published one. */
  subject: string;
  /** Median over the rounds. */
  value: number;
  unit: Unit;
  /** One value a round. */
  samples: number[];
  baseline?: { name: string; value: number; samples: number[] };
  /** Median of the ratios of neighbouring rounds. */
  ratio?: number;
  target?: Target;
  /** Whether the target was reached; undefined without one. */
  isMet?: boolean;
}

/** What {@link toFigure} needs; `baseline` samples are those of the same rounds. */
export interface FigureInput {
  name: string;
  subject: string;
  unit: Unit;
  samples: readonly number[];
  baseline?: { name: string; samples: readonly number[] } | undefined;
  target?: Target | undefined;
}

/** Reduces the samples of a run to a figure. */
export function toFigure({ name, subject, unit, samples, baseline, target }: FigureInput): Figure {
  const value = median(samples);
  const figure: Figure = { name, subject, value, unit, samples: [...samples] };
  if (baseline) {
    figure.baseline = {
      name: baseline.name,
      value: median(baseline.samples),
      samples: [...baseline.samples],
    };
    figure.ratio = medianRatio(samples, baseline.samples);
  }
  if (target) {
    const measured = target.of === "ratio" ? (figure.ratio ?? Number.NaN) : value;
    figure.target = target;
    figure.isMet =
      measured <= (target.atMost ?? Infinity) && measured >= (target.atLeast ?? -Infinity);
  }
  return figure;
}
