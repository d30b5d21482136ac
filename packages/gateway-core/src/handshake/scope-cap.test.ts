import { OPERATOR_SCOPES, scopeAllows } from "@openclaw/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { capScopes } from "./scope-cap.ts";

test("what is left is what both allow, no more and no less", () => {
  const scopes = fc.subarray([...OPERATOR_SCOPES]);
  fc.assert(
    fc.property(scopes, scopes, (asked, cap) => {
      const left = capScopes(asked, cap);
      for (const scope of OPERATOR_SCOPES)
        expect(scopeAllows(left, scope)).toBe(scopeAllows(asked, scope) && scopeAllows(cap, scope));
    }),
    { numRuns: 2_000 },
  );
});

test("asking for everything yields the cap, and an empty cap yields nothing", () => {
  expect(capScopes(["operator.admin"], ["operator.read"])).toEqual(["operator.read"]);
  expect(capScopes(["operator.read"], ["operator.admin"])).toEqual(["operator.read"]);
  expect(capScopes(["operator.admin"], [])).toEqual([]);
});
