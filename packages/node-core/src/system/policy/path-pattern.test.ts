import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesPathPattern } from "./path-pattern.ts";

const matches = (pattern: string, path: string, platform: NodeJS.Platform = "linux"): boolean =>
  matchesPathPattern(pattern, path, "/home/u", platform);

describe("a pattern of the exec approvals", () => {
  test.each([
    ["/usr/bin/git", "/usr/bin/git", true],
    ["/usr/bin/git", "/usr/bin/git2", false],
    ["/usr/bin/git", "/opt/usr/bin/git", false],
    ["/usr/bin/*", "/usr/bin/git", true],
    ["/usr/bin/*", "/usr/bin/sub/git", false],
    ["/usr/**", "/usr/bin/sub/git", true],
    ["/usr/**/git", "/usr/git", true],
    ["/usr/**/git", "/usr/a/b/git", true],
    ["/usr/**/git", "/usr/a/b/legit", false],
    ["/usr/bin/python3.?", "/usr/bin/python3.1", true],
    ["/usr/bin/python3.?", "/usr/bin/python3x1", false],
    ["~/bin/tool", "/home/u/bin/tool", true],
    ["~other/bin/tool", "/home/uother/bin/tool", false],
    ["/usr/bin/Git", "/usr/bin/git", false],
    ["git", "/usr/bin/git", false],
    ["*", "/usr/bin/git", false],
    ["", "/usr/bin/git", false],
    ["/", "/usr/bin/git", false],
  ])("%s and %s: %s", (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected);
  });

  test("ignores case and kind of slash on Windows", () => {
    expect(matches("c:\\tools\\*.exe", "C:\\Tools\\Git.EXE", "win32")).toBe(true);
    expect(matches("C:/tools/**", "C:\\tools\\a\\b.exe", "win32")).toBe(true);
  });

  test("without wildcards matches itself and nothing else", () => {
    const part = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[*?\s\0]/.test(text));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.string(), (parts, other) => {
        const path = `/${parts.join("/")}`;
        fc.pre(!path.endsWith("/"));
        expect(matches(path, path)).toBe(true);
        if (other !== path) expect(matches(path, other)).toBe(false);
      }),
    );
  });
});
