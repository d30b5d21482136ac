import { describe, expect, test } from "vitest";
import { evaluateMatch, type MatchFacts } from "./match-criteria.ts";

const facts: MatchFacts = {
  originalHost: "alias",
  host: "real.example.org",
  user: "ann",
  localUser: "me",
  isFinalPass: false,
};
const evaluate = (text: string, more: Partial<MatchFacts> = {}): ReturnType<typeof evaluateMatch> =>
  evaluateMatch(text.split(" "), { ...facts, ...more });

test.each([
  ["all", true],
  ["!all", false],
  ["host *.example.org", true],
  ["host alias", false],
  ["HOST REAL.*", true],
  ["originalhost ALIAS", true],
  ["user ann,bob", true],
  ["user ANN", false],
  ["localuser me", true],
  ["!user bob", true],
  ["host real* user bob", false],
  ["host real* user ann", true],
  ["host !real.example.org,*", false],
  ["user ann # and more", true],
])("%j fits: %s", (text, isMatch) => {
  expect(evaluate(text)).toEqual({ kind: "decided", isMatch, wantsFinalPass: false });
});

describe("final", () => {
  test("asks for a second reading and fits only then", () => {
    expect(evaluate("final")).toEqual({ kind: "decided", isMatch: false, wantsFinalPass: true });
    expect(evaluate("final all", { isFinalPass: true })).toMatchObject({ isMatch: true });
    expect(evaluate("!final")).toMatchObject({ isMatch: true, wantsFinalPass: true });
  });

  test("is what canonical fits in, without asking for it", () => {
    expect(evaluate("canonical")).toMatchObject({ isMatch: false, wantsFinalPass: false });
    expect(evaluate("canonical", { isFinalPass: true })).toMatchObject({ isMatch: true });
  });
});

test.each(["exec", "localnetwork", "tagged", "version", "sessiontype", "command"])(
  "%s is beyond us, negated too",
  (criterion) => {
    expect(evaluate(`user ann ${criterion} x`)).toMatchObject({ kind: "undecided", criterion });
    expect(evaluate(`!${criterion} x`)).toMatchObject({ kind: "undecided", criterion });
  },
);

test("what does not fit anyway needs no decision", () => {
  expect(evaluate("user bob exec x")).toMatchObject({ kind: "decided", isMatch: false });
  expect(evaluate("exec x user bob")).toMatchObject({ kind: "decided", isMatch: false });
});

test.each(["", "host", "nonsense x", "all host x", "host a user b all", "host #"])(
  "%j is malformed",
  (text) => {
    expect(evaluateMatch(text === "" ? [] : text.split(" "), facts).kind).toBe("malformed");
  },
);
