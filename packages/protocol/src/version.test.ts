import { expect, test } from "vitest";
import { negotiateProtocol } from "./version.ts";

test.each([
  [3, 3, 3],
  [3, 4, 4],
  [4, 4, 4],
  [1, 3, 3],
  [4, 9, 4],
  [1, 9, 4],
] as const)(
  "a peer that offers %i to %i is answered with %i",
  (minProtocol, maxProtocol, agreed) => {
    expect(negotiateProtocol({ minProtocol, maxProtocol })).toBe(agreed);
  },
);

test.each([
  [5, 5],
  [1, 2],
  [5, 9],
  [4, 3],
])("ranges without a common version do not agree: %i to %i", (minProtocol, maxProtocol) => {
  expect(negotiateProtocol({ minProtocol, maxProtocol })).toBeUndefined();
});
