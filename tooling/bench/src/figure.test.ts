import { expect, test } from "vitest";
import { toFigure } from "./figure.ts";
import { formatTable } from "./table.ts";

test("a figure compares the ratio or the value with its target", () => {
  const base = { name: "rpc.p50", subject: "gateway", unit: "ms", samples: [1, 2, 3] } as const;
  const baseline = { name: "echo", samples: [1, 1, 1] };

  expect(toFigure({ ...base, baseline, target: { of: "ratio", atMost: 2 } })).toMatchObject({
    value: 2,
    ratio: 2,
    isMet: true,
  });
  expect(toFigure({ ...base, baseline, target: { of: "ratio", atLeast: 2.5 } }).isMet).toBe(false);
  expect(toFigure({ ...base, target: { of: "value", atMost: 1.9 } }).isMet).toBe(false);
  expect(toFigure({ ...base, target: { of: "ratio", atMost: 9 } }).isMet).toBe(false);
  expect(toFigure(base)).not.toHaveProperty("isMet");
});

test("the table names what was missed", () => {
  const table = formatTable([
    toFigure({
      name: "memory.idle",
      subject: "gateway",
      unit: "MB",
      samples: [120],
      target: { of: "value", atMost: 90 },
    }),
  ]);

  expect(table).toMatch(/memory\.idle {2}gateway {2}120\.0 MB .* ≤ 90 MB {2}MISSED/);
});
