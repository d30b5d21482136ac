import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesHostLine, matchesPattern, matchesPatternList } from "./patterns.ts";

describe("a pattern", () => {
  test.each([
    ["box", "box", true],
    ["box", "BOX", false],
    ["box", "bo", false],
    ["box", "*", true],
    ["", "*", true],
    ["", "?", false],
    ["web1", "web?", true],
    ["web", "web?", false],
    ["web12", "web?", false],
    ["a.b.example.com", "*.example.com", true],
    ["example.com", "*.example.com", false],
    ["aXbXc", "a*b*c", true],
    ["abcabc", "*abc", true],
    ["a.b", "a?b", true],
    ["axb", "a.b", false],
    ["a[b", "a[b", true],
  ])("of %j against %j is %s", (text, pattern, fits) => {
    expect(matchesPattern(text, pattern)).toBe(fits);
  });

  test("says what a regular expression of the same meaning says", () => {
    const letters = fc.stringMatching(/^[ab.]{0,8}$/u);
    const patterns = fc.stringMatching(/^[ab.*?]{0,8}$/u);
    fc.assert(
      fc.property(letters, patterns, (text, pattern) => {
        const source = pattern.replace(/[.*?]/gu, (char) =>
          char === "*" ? ".*" : char === "?" ? "." : "\\.",
        );
        expect(matchesPattern(text, pattern)).toBe(new RegExp(`^${source}$`, "u").test(text));
      }),
    );
  });

  test("takes no long time for stars without number", () => {
    expect(matchesPattern("a".repeat(5_000), `${"*a".repeat(40)}b`)).toBe(false);
  });
});

describe("a list of patterns", () => {
  test("needs one that fits and none that excludes", () => {
    expect(matchesHostLine("web1", ["web*", "!web2"])).toBe(true);
    expect(matchesHostLine("web2", ["web*", "!web2"])).toBe(false);
    expect(matchesHostLine("web2", ["!web2", "web*"])).toBe(false);
    expect(matchesHostLine("db", ["!web2"])).toBe(false);
    expect(matchesHostLine("db", [])).toBe(false);
  });

  test("has commas under Match and none on a Host line", () => {
    expect(matchesPatternList("db", "web*,db")).toBe(true);
    expect(matchesPatternList("db", "!db,*")).toBe(false);
    expect(matchesHostLine("db", ["web,db"])).toBe(false);
  });
});
