import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OPERATOR_SCOPES, type OperatorScope, missingScopes, scopeAllows } from "./scopes.ts";

/** Everything that a scope contains, itself included, written down once more. */
const CONTENT: Record<OperatorScope, readonly string[]> = {
  "operator.admin": OPERATOR_SCOPES,
  "operator.write": ["operator.write", "operator.read", "operator.talk"],
  "operator.read": ["operator.read"],
  "operator.approvals": ["operator.approvals"],
  "operator.pairing": ["operator.pairing"],
  "operator.questions": ["operator.questions"],
  "operator.talk": ["operator.talk"],
  "operator.talk.secrets": ["operator.talk.secrets"],
};

const scope = fc.constantFrom(...OPERATOR_SCOPES);
const scopes = fc.uniqueArray(scope);

describe.each(OPERATOR_SCOPES)("%s", (granted) => {
  test.each(OPERATOR_SCOPES)("and %s", (required) => {
    expect(scopeAllows([granted], required)).toBe(CONTENT[granted].includes(required));
  });
});

test("nothing granted allows nothing", () => {
  for (const required of OPERATOR_SCOPES) expect(scopeAllows([], required)).toBe(false);
});

test("admin allows what is not in the table, others do not", () => {
  expect(scopeAllows(["operator.admin"], "plugin.custom")).toBe(true);
  expect(scopeAllows(["operator.write"], "plugin.custom")).toBe(false);
  expect(scopeAllows(["plugin.custom"], "plugin.custom")).toBe(true);
});

test("a name that merely begins like a scope is not that scope", () => {
  expect(scopeAllows(["operator.talk"], "operator.talk.secrets")).toBe(false);
  expect(scopeAllows(["operator.administrator"], "operator.read")).toBe(false);
  expect(scopeAllows(["operator.read"], "constructor")).toBe(false);
});

test("more grants never allow less", () => {
  fc.assert(
    fc.property(scopes, scopes, scope, (granted, more, required) => {
      const before = scopeAllows(granted, required);
      expect(scopeAllows([...granted, ...more], required)).toBe(
        before || scopeAllows(more, required),
      );
    }),
  );
});

test("what an allowed scope contains is allowed too", () => {
  fc.assert(
    fc.property(scopes, scope, scope, (granted, middle, inner) => {
      if (scopeAllows(granted, middle) && scopeAllows([middle], inner)) {
        expect(scopeAllows(granted, inner)).toBe(true);
      }
    }),
  );
});

test("the missing scopes are those not allowed, in the order asked", () => {
  expect(missingScopes(["operator.write"], ["operator.pairing", "operator.read"])).toEqual([
    "operator.pairing",
  ]);
  fc.assert(
    fc.property(scopes, scopes, (granted, required) => {
      expect(missingScopes(granted, required)).toEqual(
        required.filter((name) => !scopeAllows(granted, name)),
      );
    }),
  );
});
